"""The mappings in force: those that are shipped, and over them those that were stored."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

from nextwave_contracts.faults import Fault, FaultyError

from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.document import Document, extended, read


class Library:
    """Mappings by name. Give it the shipped ones; `lay` puts a stored one over a shipped one of its name, `lift` takes it off again."""

    def __init__(self, shipped: Iterable[Document]) -> None:
        """Raises `FaultyError` for a shipped one that is wrong."""
        self._shipped = {document.name: document for document in shipped}
        self._laid: dict[str, Document | FaultyError] = {}
        self._compiled: dict[str, Compiled | FaultyError] = {}
        for document in self._shipped.values():
            self._compiled[document.name] = self.checked(document)

    def find(self, name: str) -> Compiled | None:
        """The mapping in force under this name, or None: there is none, or it is left out (see `fault`)."""
        found = self._compiled.get(name) or self._found(name)
        return found if isinstance(found, Compiled) else None

    def fault(self, name: str) -> str:
        """Why the mapping of this name is left out: this build cannot read it, or it no longer fits what it extends. Else an empty text."""
        found = self._compiled.get(name) or self._found(name)
        return str(found) if isinstance(found, FaultyError) else ""

    def left_out(self) -> tuple[str, ...]:
        """The names of all mappings that are left out."""
        return tuple(name for name in self.names() if self.fault(name))

    def _found(self, name: str) -> Compiled | FaultyError | None:
        document = self._laid.get(name) or self._shipped.get(name)
        if document is None:
            return None
        try:
            self._compiled[name] = document if isinstance(document, FaultyError) else self.checked(document)
        except FaultyError as wrong:
            self._compiled[name] = wrong
        return self._compiled[name]

    def written(self, name: str) -> Document | None:
        """The document in force under this name as it was written, if it can be read."""
        document = self._laid.get(name) or self._shipped.get(name)
        return document if isinstance(document, Document) else None

    def is_shipped(self, name: str) -> bool:
        """Whether a mapping of this name comes with the product."""
        return name in self._shipped

    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(sorted({**self._shipped, **self._laid}))

    def extending(self, name: str) -> tuple[str, ...]:
        """The names of the mappings that extend this one."""
        return tuple(one for one in self.names() if (document := self.written(one)) is not None and document.extends == name)

    def checked(self, document: Document) -> Compiled:
        """The mapping as it would be in force among the others. Raises `FaultyError`."""
        if not document.extends:
            return Compiled(document)
        other = self.written(document.extends)
        if other is None:
            raise FaultyError([Fault("/extends", f"there is no mapping {document.extends!r:.80}", f"use one of {', '.join(self.names())}")])
        if other.extends:
            raise FaultyError(
                [Fault("/extends", f"{other.name} extends a mapping itself", f"extend {other.extends}, or write the mapping out")]
            )
        return Compiled(extended(document, other))

    def lay(self, document: Document) -> None:
        """Puts a stored document in force; whatever extends it follows."""
        self._change(document.name, document)

    def leave_out(self, name: str, why: FaultyError) -> None:
        """There is a stored document of this name that cannot be read: nothing is in force under it, not even what is shipped."""
        self._change(name, why)

    def lift(self, name: str) -> None:
        """Takes a stored document out of force; a shipped one of its name is in force again."""
        self._change(name, None)

    def _change(self, name: str, to: Document | FaultyError | None) -> None:
        if to is None:
            self._laid.pop(name, None)
        else:
            self._laid[name] = to
        for changed in (name, *self.extending(name)):
            self._compiled.pop(changed, None)


def shipped() -> list[Document]:
    """The documents that come with the product; the name of each is that of its file."""
    places = sorted(files(__package__).joinpath("shipped").iterdir(), key=lambda place: place.name)
    return [read(place.read_bytes()) for place in places if place.name.endswith(".yaml")]

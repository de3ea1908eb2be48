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
        self._laid: dict[str, Document] = {}
        self._compiled: dict[str, Compiled] = {}
        for document in self._shipped.values():
            self._compiled[document.name] = self.checked(document)

    def find(self, name: str) -> Compiled | None:
        """The mapping in force under this name, or None. One whose base was since changed so that they do not fit is not in force."""
        if name in self._compiled:
            return self._compiled[name]
        document = self.written(name)
        if document is None:
            return None
        try:
            self._compiled[name] = self.checked(document)
        except FaultyError:
            return None
        return self._compiled[name]

    def written(self, name: str) -> Document | None:
        """The document in force under this name as it was written."""
        return self._laid.get(name) or self._shipped.get(name)

    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(sorted({**self._shipped, **self._laid}))

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
        self._laid[document.name] = document
        self._compiled.clear()

    def lift(self, name: str) -> None:
        """Takes a stored document out of force; a shipped one of its name is in force again."""
        self._laid.pop(name, None)
        self._compiled.clear()


def shipped() -> list[Document]:
    """The documents that come with the product; the name of each is that of its file."""
    places = sorted(files(__package__).joinpath("shipped").iterdir(), key=lambda place: place.name)
    return [read(place.read_bytes()) for place in places if place.name.endswith(".yaml")]

"""The mappings in force: those that are shipped, and over them those that were stored."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

from nextwave_contracts.faults import Fault, FaultyError, raise_any

from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.document import Document, extended, read
from nextwave_ingest.mappings.extending import extension_faults, lost_tables
from nextwave_ingest.mappings.losing import losses
from nextwave_ingest.mappings.meant import constant_faults


class Library:
    """Mappings by name. Give it the shipped ones; `lay` puts a stored one over a shipped one of its name, `lift` takes it off again.

    What is laid is read when it is first asked for: a replica that starts hears every version, and needs the newest. Threads may ask
    while the loop lays: what is remembered stands beside what it was made of, and counts for nothing else.
    """

    def __init__(self, shipped: Iterable[Document]) -> None:
        """Raises `FaultyError` for a shipped one that is wrong."""
        self._shipped = {document.name: document for document in shipped}
        self._laid: dict[str, str | Document] = {}
        self._readings: dict[str, tuple[str, Document | FaultyError]] = {}
        self._compiled: dict[str, tuple[Document, Document | None, Compiled | FaultyError]] = {}
        """With the document and what it extended."""
        for document in self._shipped.values():
            self._whole(document)

    def find(self, name: str) -> Compiled | None:
        """The mapping in force under this name, or None: there is none, or it is left out (see `fault`)."""
        found = self._found(name)
        return found if isinstance(found, Compiled) else None

    def fault(self, name: str) -> str:
        """Why the mapping of this name is left out: this build cannot read it, or it no longer fits what it extends. Else an empty text."""
        found = self._found(name)
        return str(found) if isinstance(found, FaultyError) else ""

    def left_out(self) -> tuple[str, ...]:
        """The names of all mappings that are left out."""
        return tuple(name for name in self.names() if self.fault(name))

    def _found(self, name: str) -> Compiled | FaultyError | None:
        document = self._read(name)
        if not isinstance(document, Document):
            return document
        base = self.written(document.extends) if document.extends else None
        known = self._compiled.get(name)
        if known is None or known[0] is not document or known[1] is not base:
            known = self._compiled[name] = (document, base, self._compile(document))
        return known[2]

    def _compile(self, document: Document) -> Compiled | FaultyError:
        try:
            return self._whole(document)
        except FaultyError as wrong:
            return wrong

    def _read(self, name: str) -> Document | FaultyError | None:
        laid = self._laid.get(name)
        if not isinstance(laid, str):
            return laid or self._shipped.get(name)
        known = self._readings.get(name)
        if known is None or known[0] is not laid:
            known = self._readings[name] = (laid, _reading(laid, name))
        return known[1]

    def written(self, name: str) -> Document | None:
        """The document in force under this name as it was written, if it can be read."""
        document = self._read(name)
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
        """The mapping as it would be in force among the others, before it is. Raises `FaultyError`."""
        compiled, faults = self._judged(document)
        raise_any(faults)
        assert compiled is not None
        return compiled

    def check_saved(self, document: Document) -> None:
        """As `checked`, for one that would replace what others extend. Raises `FaultyError`."""
        raise_any([*self._judged(document)[1], *self.losses(document)])

    def _judged(self, document: Document) -> tuple[Compiled | None, list[Fault]]:
        """The mapping, and all that is wrong with it at once."""
        other = self.written(document.extends)
        faults = [] if other is None or other.extends else extension_faults(document, other)
        compiled = self._compile(document)
        if isinstance(compiled, FaultyError):
            faults += compiled.faults
        faults = list(dict.fromkeys([*faults, *constant_faults(document), *losses(document)]))
        return (compiled if isinstance(compiled, Compiled) else None), faults

    def losses(self, document: Document) -> list[Fault]:
        """Which mappings would be left out if this document came in force under its name, though they are in force now."""
        faults = []
        for name in self.extending(document.name):
            extension = self.written(name)
            if extension is not None and self.find(name) is not None and (wrong := _misfits(extension, document)):
                pointer = "/extends" if document.extends else "/tables"
                detail = f"{name} extends this mapping and would be left out: {FaultyError(wrong)}"
                faults.append(Fault(pointer, detail, "keep what it needs until that one is changed or retired"))
        return faults

    def _whole(self, document: Document) -> Compiled:
        """The mapping with what it extends. Raises `FaultyError`."""
        if not document.extends:
            return Compiled(document)
        other = self.written(document.extends)
        if other is None:
            raise FaultyError([Fault("/extends", f"there is no mapping {document.extends!r:.80}", f"use one of {', '.join(self.names())}")])
        raise_any(_misfits(document, other))
        return Compiled(extended(document, other))

    def lay(self, name: str, document: str | Document) -> None:
        """Puts a stored document (text: JSON) in force; whatever extends it follows. While it cannot be read, nothing of its name is."""
        self._laid[name] = document

    def lift(self, name: str) -> None:
        """Takes a stored document out of force; a shipped one of its name is in force again."""
        self._laid.pop(name, None)


def _misfits(document: Document, other: Document) -> list[Fault]:
    """Why a mapping cannot be in force over this one: its codes would be looked up by nobody, and the stops that they mean be lost."""
    if other.extends:
        return [Fault("/extends", f"{other.name} extends a mapping itself", f"extend {other.extends}, or write the mapping out")]
    return lost_tables(document, other)


def _reading(laid: str, name: str) -> Document | FaultyError:
    try:
        return read(laid.encode(), name)
    except FaultyError as wrong:
        return wrong


def shipped() -> list[Document]:
    """The documents that come with the product; the name of each is that of its file."""
    places = sorted(files(__package__).joinpath("shipped").iterdir(), key=lambda place: place.name)
    return [read(place.read_bytes()) for place in places if place.name.endswith(".yaml")]

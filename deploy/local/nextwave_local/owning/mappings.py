"""What a folder of mappings would change at an ingest, judged by ingest's own rules among all that is in force there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from nextwave_contracts.differences import difference
from nextwave_contracts.documents import read_document
from nextwave_contracts.faults import Fault, FaultyError
from nextwave_ingest.mappings.document import NAME, NAME_FIX, Document, read
from nextwave_ingest.mappings.library import Library
from nextwave_ingest.mappings.losing import doubts

from nextwave_local.owning.changes import Change, Named, Plan
from nextwave_local.owning.folder import FolderError, text_of

_FILE = re.compile(r"([^/]+)\.(?:ya?ml|json)")


class Held(NamedTuple):
    """A mapping in force: its JSON, its revision (0: as it is shipped), and whether one is shipped under its name."""

    document: bytes
    revision: int
    shipped: bool = False


class _Read(NamedTuple):
    """A file that was understood."""

    file: str
    document: Document

    @property
    def name(self) -> str:
        return self.document.name


def plan(files: Mapping[str, str], held: Mapping[str, Held], *, prune: bool = False) -> Plan:
    """One entry for each file, in an order in which ingest takes them; `elsewhere` names those written there that are in no file.

    With `prune` these are retired: what extends another before anything is written, as it could not stay, and the others last, as what is
    written may extend them till then. Each file is judged among all the others as they will be, and refused where it would leave out one.
    """
    names = {Path(file).stem for file in files}
    left = {name: kept for name, kept in sorted(held.items()) if kept.revision and name not in names}
    retired = {name: _retired(name, kept) for name, kept in left.items()} if prune else {}
    stays = {name: kept for name, kept in held.items() if name not in retired or kept.shipped}
    tried = [_read(file, text) for file, text in sorted(files.items())]
    understood = [one for one in tried if isinstance(one, _Read)]
    refused = [*(one for one in tried if isinstance(one, Change)), *_twice(understood)]
    extended = {msgspec.json.decode(kept.document).get("extends") for kept in stays.values()}
    in_order = sorted(understood, key=lambda one: (bool(one.document.extends), one.name in extended))  # an extended one may not extend yet
    refused += _unfit([one for one in in_order if all(one.file != other.file for other in refused)], stays)
    taken = [one for one in in_order if all(one.file != other.file for other in refused)]
    extending = {name for name, kept in left.items() if msgspec.json.decode(kept.document).get("extends")}
    written = [_planned(one, held.get(one.name)) for one in taken]
    first = [one for name, one in retired.items() if name in extending]
    last = [one for name, one in retired.items() if name not in extending]
    return Plan(items=(*refused, *first, *written, *last), elsewhere=() if prune else tuple(map(_path, left)))


def _read(file: str, text: str) -> _Read | Change:
    found = _FILE.fullmatch(file)
    if found is None:
        return _refused(file, [Fault("", "this is no place of a mapping", "keep mappings as NAME.yaml (or .json) in the folder itself")])
    if not NAME.fullmatch(found[1]):
        return _refused(file, [Fault("", f"{found[1]!r:.80} is no name of a mapping", NAME_FIX)])
    try:
        return _Read(file, read(text.encode(), found[1], _media_type(file)))
    except FaultyError as wrong:
        return _refused(file, wrong.faults)


def _twice(understood: Sequence[_Read]) -> Iterator[Change]:
    """Two files for one mapping, such as a.yaml and a.json."""
    first: dict[str, str] = {}
    for one in understood:
        if (other := first.setdefault(one.name, one.file)) != one.file:
            yield _refused(one.file, [Fault("", f"{other} is the same mapping", "keep one of both")])


def _unfit(some: Sequence[_Read], held: Mapping[str, Held]) -> Iterator[Change]:
    """Those that ingest would refuse once all of the others are in force, and those that would leave out others, if for a moment only."""
    library, losses = Library(()), {}
    for name, kept in held.items():
        library.lay(name, kept.document.decode())
    for one in some:
        losses[one.file] = library.losses(one.document)
        library.lay(one.name, one.document)
    for one in some:
        faults = [*_faults(library, one.document), *losses[one.file]]
        if faults:
            yield _refused(one.file, faults)


def _faults(library: Library, document: Document) -> Sequence[Fault]:
    try:
        library.checked(document)
    except FaultyError as wrong:
        return wrong.faults
    return ()


def _refused(file: str, faults: Iterable[Fault]) -> Change:
    named = tuple(Named(pointer=fault.pointer, detail=fault.detail, fix=fault.fix) for fault in faults)
    return Change(file=file, path="", action="refuse", faults=named)


def _planned(one: _Read, held: Held | None) -> Change:
    before: Any = msgspec.json.decode(held.document) if held else {}
    after = msgspec.json.decode(msgspec.json.encode(one.document))
    unsure = doubts(one.document) if before != after else ()
    return Change(
        file=one.file,
        path=_path(one.name),
        action="create" if held is None else "keep" if before == after else "change",
        revision=held.revision if held else None,
        diff=difference(before, after, (_origin(held), one.file)),
        findings=tuple(Named(pointer=f.pointer, detail=f.detail, fix=f.fix, level="warning") for f in unsure),
    )


def _retired(name: str, held: Held) -> Change:
    note = "what is shipped under its name is in force again" if held.shipped else ""
    return Change(file="", path=_path(name), action="retire", revision=held.revision, note=note)


def _origin(held: Held | None) -> str:
    if held is None:
        return "nothing"
    return f"version {held.revision}" if held.revision else "as it is shipped"


def _path(name: str) -> str:
    return f"/v1/mappings/{name}"


def _media_type(file: str) -> str:
    return "application/json" if file.endswith(".json") else "application/yaml"


def trial(file: Path, sample: Path, headers: Iterable[str]) -> dict[str, Any]:
    """A mapping, a body and the `NAME: VALUE` headers that come with it, as ingest is asked to try them. Raises `FolderError`."""
    try:
        document = read_document(text_of(file).encode(), _media_type(file.name))
    except FaultyError as wrong:
        raise FolderError(f"{file}: {wrong}") from wrong
    if isinstance(document, dict):
        document.setdefault("name", file.stem)
    named = {name.strip().lower(): value.strip() for name, _, value in (header.partition(":") for header in headers)}
    return {"document": document, "body": text_of(sample), "content_type": named.get("content-type", ""), "headers": named}

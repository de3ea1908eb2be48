"""Keeping mappings: who reads, changes or retires one, on which conditions, and what is answered."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from fastapi import Request
from nextwave_contracts.faults import Fault, FaultyError
from nextwave_contracts.mappings import MappingVersion
from nextwave_runtime.auth import Key, Keyring
from nextwave_runtime.problem import Problem
from nextwave_runtime.written import changed_meanwhile, require_match

from nextwave_ingest.admission import RefusedError
from nextwave_ingest.doors.inbound import InboundDoor
from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.document import NAME, NAME_FIX, read
from nextwave_ingest.mappings.effort import Meter
from nextwave_ingest.mappings.log import MappingLog
from nextwave_ingest.mappings.trial import SHOWN_MAX, Said, Tried, attempt
from nextwave_ingest.reception import Reception
from nextwave_ingest.sources.telling import Telling

NAMES_MAX = 500
"""Names that were ever written: every replica keeps them in memory."""


class Use(msgspec.Struct, frozen=True):
    """A source that posts by a mapping, and when it last did."""

    source: str
    last_seen_at: datetime


class Kept(msgspec.Struct, frozen=True):
    """A mapping in force. `version` 0: only what is shipped; `fault`: why this replica cannot use it."""

    name: str
    description: str
    version: int
    shipped: bool
    by: str
    at: datetime | None
    fault: str
    used_by: Sequence[Use]


class Facts(msgspec.Struct, frozen=True):
    """One version, as it was written. Of a retired one the name was taken out of force."""

    version: int
    by: str
    at: datetime
    retired: bool


class Attempt(msgspec.Struct, frozen=True):
    """What became of a sample: its first items one by one; `refusals` where the body itself cannot be read."""

    mapping: str
    item_count: int
    items: Sequence[Tried]
    refusals: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Sample:
    """A body as its platform would send it."""

    body: bytes
    content_type: str
    headers: Mapping[bytes, bytes]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the routes of mappings stand on."""

    keyring: Keyring
    reception: Reception
    log: MappingLog
    telling: Telling

    def kept(self) -> list[Kept]:
        """Every mapping in force or left out, in the order of names."""
        uses = self._uses()
        return [self._kept(name, uses.get(f"{InboundDoor.name}/{name}", ())) for name in self.log.library.names()]

    def _uses(self) -> dict[str, list[Use]]:
        """By door or mapping, the sources that used it while any of today's replicas runs, the latest first."""
        uses: defaultdict[str, list[Use]] = defaultdict(list)
        for source, heard in self.telling.board.sums(self.telling.now()).items():
            for door, items in heard.doors.items():
                uses[door].append(Use(source, items.last_seen_at))
        return {door: sorted(used, key=lambda use: use.last_seen_at, reverse=True) for door, used in uses.items()}

    def _kept(self, name: str, used_by: Sequence[Use]) -> Kept:
        stored, document = self.log.history.in_force(name), self.log.library.written(name)
        return Kept(
            name=name,
            description=document.description if document else "",
            version=stored.version if stored else 0,
            shipped=self.log.library.is_shipped(name),
            by=stored.by if stored else "",
            at=stored.at if stored else None,
            fault=self.log.library.fault(name),
            used_by=used_by,
        )

    def document(self, name: str) -> bytes:
        """The mapping in force as JSON. Raises a 404 `Problem`."""
        stored, written = self.log.history.in_force(name), self.log.library.written(name)
        if stored is not None:
            return stored.document.encode()
        if written is None:
            raise missing(name)
        return msgspec.json.encode(written)

    def revision(self, name: str) -> int | None:
        """The revision of what is in force under this name (0: as it is shipped), or None."""
        if (stored := self.log.history.in_force(name)) is not None:
            return stored.version
        return 0 if name in self.log.library.names() else None

    def versions(self, name: str) -> list[MappingVersion]:
        """What was ever written under this name, oldest first. Raises a 404 `Problem`."""
        versions = list(self.log.history.of(name))
        if not versions and not self.log.library.is_shipped(name):
            raise missing(name)
        return versions

    async def save(self, name: str, request: Request, by: Key) -> tuple[bool, bytes]:
        """Writes the request's document, when its preconditions hold; whether the name is new, and the document as it is kept.

        The same again changes nothing. Raises a 412 `Problem` where another writer was faster, and `FaultyError`.
        """
        media_type = request.headers.get("content-type", "")
        document = await asyncio.to_thread(read, await request.body(), name, media_type)  # this process takes touchpoints meanwhile
        await asyncio.to_thread(self.log.library.check_saved, document)
        before = self.revision(name)
        require_match(request, before)
        text = msgspec.json.encode(document)
        stored = self.log.history.in_force(name)
        if stored is not None and stored.document.encode() == text:
            return False, text
        if before is None and not self.versions_left(name):
            raise Problem(409, "too-many", f"there have been {NAMES_MAX} mappings; change one that is there")
        await self._write(name, text.decode(), by)
        return before is None, text

    async def retire(self, name: str, request: Request, by: Key) -> None:
        """Takes a stored mapping out of force; a shipped one of its name is in force again. Raises a 404, 409 or 412 `Problem`."""
        before = self.revision(name)
        if before is None:
            raise missing(name)
        require_match(request, before)
        if self.log.history.in_force(name) is None:
            raise Problem(409, "shipped", "it comes with the product; put one of your own under its name to replace it")
        extending = self.log.library.extending(name)
        if extending and not self.log.library.is_shipped(name):
            raise Problem(409, "in-use", f"{', '.join(extending)} extends it; change or retire that first")
        await self._write(name, "", by, retired=True)

    def versions_left(self, name: str) -> bool:
        """Whether there may be one more name."""
        names = self.log.history.names()
        return name in names or len(names) < NAMES_MAX

    async def _write(self, name: str, document: str, by: Key, *, retired: bool = False) -> None:
        written = MappingVersion(
            id=str(uuid.uuid4()),
            name=name,
            version=self.log.history.number(name) + 1,
            document=document,
            by=by.name,
            at=self.reception.now(),
            retired=retired,
        )
        if not await self.log.write(written):
            raise changed_meanwhile()

    def proposed(self, document: Any) -> Compiled:
        """A mapping that is not stored, among the others; text is YAML. Raises `FaultyError`."""
        raw = document.encode() if isinstance(document, str) else msgspec.json.encode(document)
        return self.log.library.checked(read(raw))

    def in_force(self, name: str) -> Compiled:
        """The mapping of this name. Raises a 404 or 409 `Problem`."""
        found = self.log.library.find(name)
        if found is None:
            raise Problem(409, "left-out", fault) if (fault := self.log.library.fault(name)) else missing(name)
        return found

    def attempt(self, mapping: Compiled, sample: Sample) -> Attempt:
        """What the mapping would make of the sample. Nothing is committed, and no signature is asked for."""
        try:
            items = mapping.items(sample.body, sample.content_type, sample.headers)
        except RefusedError as error:
            return Attempt(mapping.name, 0, (), [Said(error.pointer, error.detail)])
        taken = (sample.source, self.reception.now())
        meter = Meter()
        tried = [attempt(mapping, item, taken, self.reception.weigh, meter) for item in items[:SHOWN_MAX]]
        return Attempt(mapping.name, len(items), tried, ())


def checked_name(name: str) -> str:
    """The name of a path. Raises `FaultyError`."""
    if not NAME.fullmatch(name):
        raise FaultyError([Fault("/name", f"{name!r:.80} is no name", NAME_FIX)])
    return name


def missing(name: str) -> Problem:
    """The 404."""
    return Problem(404, "not-found", f"there is no mapping {name!r:.80}; GET /v1/mappings lists them")

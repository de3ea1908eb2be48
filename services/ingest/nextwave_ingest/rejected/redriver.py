"""Looks up and redrives: the shell between the log of what was rejected, the doors that judge again, and the committer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog
from nextwave_contracts.redriven import Redriven
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import REDRIVEN
from nextwave_contracts.wire import encode
from nextwave_runtime.problem import Problem

from nextwave_ingest.reception import Committer
from nextwave_ingest.records import JSON, Record
from nextwave_ingest.rejected.entries import Bounds, Entry, Place, Wanted
from nextwave_ingest.rejected.log import Fits, Page
from nextwave_ingest.rejected.marks import Marks
from nextwave_ingest.rejected.redriving import CannotRedriveError, Judge, redriven

_log = structlog.get_logger()


class Log(Protocol):
    """The topic, as `RejectedLog` reads it."""

    async def page(self, fits: Fits, *, since: datetime | None, bounds: Bounds | None, limit: int) -> Page:
        """What fits, newest first."""

    def read(self, places: Sequence[Place]) -> AsyncGenerator[Rejected | None, None]:
        """Single records."""


@dataclass(frozen=True, slots=True)
class Again:
    """One item, or a part of it, that was not sent: why."""

    id: str
    reason: str
    pointer: str
    detail: str


@dataclass(slots=True)
class Told:
    """What came of a redrive: items that were sent on their way with all they report, those that are ignored today, and the others."""

    accepted: int = 0
    ignored: int = 0
    touchpoints: int = 0
    repeated: int = 0
    """Of those sent and ignored: what had been redriven before."""
    refused: list[Again] = field(default_factory=list)


class Redriver:
    """`doors` judge again, by their names; `now` gives the business instant."""

    def __init__(self, log: Log, doors: Mapping[str, Judge], committer: Committer, marks: Marks, now: Callable[[], datetime]) -> None:
        self._log = log
        self._doors = doors
        self._committer = committer
        self._marks = marks
        self._now = now

    async def page(self, wanted: Wanted, *, since: datetime | None, bounds: Bounds | None, limit: int) -> Page:
        """A page of the list, with what was redriven marked. Raises a 503 `Problem` also where that is asked for and not known yet."""
        if wanted.redriven is not None and self._marks.fault:
            raise Problem(503, "log-unavailable", self._marks.fault, retry_after_seconds=1)
        page = await self._log.page(lambda entry: wanted.fits(self._marks.on(entry)), since=since, bounds=bounds, limit=limit)
        return Page([self._marks.on(entry) for entry in page.entries], page.rest)

    def marked(self, entry: Entry) -> Entry:
        """The entry with when it was redriven, and by whom."""
        return self._marks.on(entry)

    async def find(self, place: Place) -> Rejected | None:
        """The record at a place."""
        async with aclosing(self._log.read([place])) as records:
            async for kept in records:
                return kept
        return None

    async def redrive(self, places: Sequence[Place], by: str) -> Told:
        """Sends these on their way again, each durable before the next is read. Raises a 429 or 503 `Problem`; to repeat it is harmless."""
        told = Told()
        async with aclosing(self._log.read(places)) as records:
            number = 0
            async for kept in records:
                if kept is not None:
                    await self._one(kept, str(places[number]), by, told)
                number += 1
        _log.info("redriven", by=by, accepted=told.accepted, refused=len(told.refused), touchpoints=told.touchpoints)
        return told

    async def fault(self, kept: Rejected) -> str:
        """Why it cannot be sent again, or an empty text."""
        try:
            await asyncio.to_thread(redriven, kept, self._doors)
        except CannotRedriveError as cannot:
            return str(cannot)
        return ""

    async def _one(self, kept: Rejected, name: str, by: str, told: Told) -> None:
        try:
            result = await asyncio.to_thread(redriven, kept, self._doors)  # a mapping may take long, and this process takes touchpoints
        except CannotRedriveError as cannot:
            told.refused.append(Again(name, "cannot_be_redriven", "", str(cannot)))
            return
        if result.records:
            await self._committer.commit(result.records)
        told.touchpoints += result.touchpoints
        told.refused += [Again(name, error.reason, error.pointer, error.detail) for error in result.refused]
        told.accepted += not result.refused and result.touchpoints > 0
        told.ignored += not result.refused and result.touchpoints == 0
        if result.touchpoints or not result.refused:
            told.repeated += self._marks.has(name)
            await self._mark(Redriven(id=name, at=self._now(), by=by, touchpoints=result.touchpoints))

    async def _mark(self, said: Redriven) -> None:
        """Only after what it says is durable: a mark for what was not sent would keep people from sending it."""
        value = encode(said)
        await self._committer.commit([Record(REDRIVEN.name, REDRIVEN.key(said).encode(), value, [JSON])])
        self._marks.take(value)

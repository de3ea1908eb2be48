"""Tells the other replicas what this one heard of its sources, and hears what they tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from nextwave_contracts.sources import SourceTally
from nextwave_contracts.topics import SOURCES
from nextwave_contracts.wire import decode, encode
from nextwave_runtime.problem import Problem

from nextwave_ingest.reception import Committer
from nextwave_ingest.records import JSON, Record
from nextwave_ingest.sources.board import Board
from nextwave_ingest.sources.book import SourceBook

TELL_SECONDS = 5.0
TELL_ALL_EVERY = 720
"""Every so many times, an hour, everything is told, so that nobody takes a quiet replica for one that is gone."""

_log = structlog.get_logger()


class Telling:
    """One per process. `replica` is its name; a life of it begins now, by the `wall` clock."""

    def __init__(self, committer: Committer, replica: str, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.book = SourceBook()
        self.board = Board()
        self._committer = committer
        self._wall = wall
        self._since = wall()
        self._life = f"{replica}/{self._since.isoformat()}"

    def now(self) -> datetime:
        """Wall time: it is about processes, not about business."""
        return self._wall()

    def take(self, value: bytes) -> None:
        """Hears a record of the topic. Raises whatever a stranger's record brings about, with nothing taken."""
        self.board.take(decode(value, SourceTally))

    async def run(self) -> None:
        """Tells until cancelled."""
        turn = 0
        while True:
            await asyncio.sleep(TELL_SECONDS)
            turn += 1
            await self.tell(everything=turn % TELL_ALL_EVERY == 0)

    async def tell(self, *, everything: bool = False) -> None:
        """Tells what changed since it was told. What cannot be told now is told next time."""
        sources = list(self.book.untold(everything=everything))
        if not sources:
            return
        at = self._wall()
        tallies = [self.book.tally(source, replica=self._life, since=self._since, at=at) for source in sources]
        try:
            await self._committer.commit([Record(SOURCES.name, SOURCES.key(one).encode(), encode(one), [JSON]) for one in tallies])
        except Problem as problem:
            _log.info("sources_not_told", error=problem.detail)
            for source in sources:
                self.book.not_told(source)

"""A worker of one partition without servers, for whatever desk a test has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

from nextwave_contracts.places import Place
from nextwave_contracts.topics import TOUCHPOINTS, Topic
from nextwave_runtime.application import Outgoing
from nextwave_runtime.pacing import Streak
from nextwave_runtime.partition_worker import PartitionWorker, Surroundings
from nextwave_runtime.progress import Progress

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEGINNING = Progress(epoch=1, next_offset=0, cursor=Place(-1, -1), joined_late=False, marks={}, last_places={})


class Open:
    """A database whose transactions hold nothing."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield


class Clock:
    """It is always `NOW`."""

    sure = True

    def now(self) -> datetime:
        return NOW


class Slow:
    """An application; what it folds counts."""

    name = "slow"
    inputs: tuple[Topic, ...] = (TOUCHPOINTS,)
    timers_on = TOUCHPOINTS
    hands_over: frozenset[str] = frozenset()
    folded = 0

    async def load(self, *_: Any) -> str:
        return "unit"

    def fold(self, *_: Any) -> list[Outgoing]:
        self.folded += 1
        return []

    async def save(self, *_: Any) -> None:
        return None


def worker_at(desk: Any, *, batch_max: int = 500, streak: Streak | None = None) -> PartitionWorker:
    """A worker with this desk, at the beginning of its partition."""
    around = Surroundings(
        application=Slow(),
        database=cast("Any", Open()),
        publisher=cast("Any", None),
        clock=cast("Any", Clock()),
        partitions=4,
        batch_max=batch_max,
        hold_seconds=0,
        expected_origins=(),
        rewind=cast("Any", None),
        extent=cast("Any", None),
        streak=streak or Streak(),
    )
    worker = PartitionWorker(around, TOUCHPOINTS, 0)
    worker.progress = BEGINNING
    worker._desk = desk
    return worker

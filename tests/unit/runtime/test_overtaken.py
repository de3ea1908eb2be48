"""A batch whose application finds at its end that what it loaded is outdated is done again, and no message is blamed for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from nextwave_contracts.places import Place
from nextwave_contracts.topics import CUSTOMERS, Topic
from nextwave_runtime.application import OutdatedError, Taken
from nextwave_runtime.batch import Applied, Batch, Desk
from nextwave_runtime.partition_worker import PartitionWorker, Surroundings
from nextwave_runtime.progress import Input, Progress
from nextwave_runtime.sifting import Sifted
from nextwave_runtime.timers import Gates

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEGINNING = Progress(epoch=1, next_offset=0, cursor=Place(-1, -1), joined_late=False, marks={}, last_places={})
INPUT = Input("shared", CUSTOMERS.name, 0)


class Shared:
    """Something that others change too."""

    name = "shared"
    inputs: tuple[Topic, ...] = (CUSTOMERS,)
    timers_on = CUSTOMERS
    hands_over: frozenset[str] = frozenset()

    async def load(self, *_: Any) -> str:
        return "unit"

    def fold(self, *_: Any) -> list[Any]:
        return []

    async def save(self, *_: Any) -> None:
        raise OutdatedError("somebody else was here")


async def test_no_item_is_to_blame_when_what_was_loaded_is_outdated() -> None:
    taken = [Taken(CUSTOMERS, 0, offset, NOW, "m") for offset in (0, 1)]
    batch = Batch(Sifted(taken=taken), next_offset=2, last_offset=1, now=NOW, timers_max=0, gates=Gates(NOW, NOW))
    for good in (taken, taken[:1]):
        batch.sifted.taken = good
        with pytest.raises(OutdatedError):
            await Desk(Shared(), INPUT, CUSTOMERS, 4).apply(cast("Any", None), batch, BEGINNING, (1, 0))
        assert batch.failed == []


class Clock:
    sure = True

    def now(self) -> datetime:
        return NOW


class OvertakenTwice:
    """A desk whose first two transactions come too late."""

    def __init__(self) -> None:
        self.times = 0

    async def apply(self, *_: Any) -> Applied:
        self.times += 1
        if self.times <= 2:
            raise OutdatedError("somebody else was here")
        return Applied(BEGINNING, [], 0, 1)


class Database:
    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield


async def test_a_batch_that_was_overtaken_is_done_again_at_once() -> None:
    around = Surroundings(
        application=Shared(),
        database=cast("Any", Database()),
        publisher=cast("Any", None),
        clock=cast("Any", Clock()),
        partitions=4,
        batch_max=10,
        hold_seconds=0,
        expected_origins=(),
        rewind=cast("Any", None),
        extent=cast("Any", None),
    )
    worker = PartitionWorker(around, CUSTOMERS, 0)
    worker.progress, desk = BEGINNING, OvertakenTwice()
    worker._desk = cast("Any", desk)
    worker.remind({"clock": NOW})
    await worker._batch([])
    assert desk.times == 3

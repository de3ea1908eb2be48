"""Timers are looked for soon where one may be due soon, and seldom where none is known to be."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from nextwave_runtime.batch import Applied, Batch
from nextwave_runtime.partition_worker import TIMERS_FEW, PartitionWorker
from nextwave_runtime.progress import Progress
from unit.runtime.workers import NOW, worker_at

SOON = NOW + timedelta(seconds=0.1)


class Firing:
    """A desk at which so many timers are due."""

    def __init__(self, due: int) -> None:
        self.due = due

    async def apply(self, _connection: Any, _batch: Batch, before: Progress, _sequence: Any) -> Applied:
        return Applied(before, [], 0, self.due)


def worker(due: int = 0) -> PartitionWorker:
    return worker_at(Firing(due))


@pytest.mark.parametrize(("due_in", "expected"), [(-1.0, True), (0.1, True), (0.11, False), (3600.0, False)])
def test_a_timer_is_expected_when_it_is_due_soon(due_in: float, *, expected: bool) -> None:
    waiting = worker()
    waiting.remind({"clock": NOW + timedelta(seconds=due_in), "watermark": NOW + timedelta(days=1)})
    assert waiting.expects_timers(SOON) is expected


def test_without_any_timer_none_is_expected() -> None:
    waiting = worker()
    waiting.remind({})
    assert not waiting.expects_timers(SOON)


@pytest.mark.parametrize(("fired", "expected"), [(1, False), (TIMERS_FEW, False), (TIMERS_FEW + 1, True), (500, True)])
def test_after_many_timers_the_next_ones_are_expected_before_they_are_known(fired: int, *, expected: bool) -> None:
    busy = worker(fired)
    busy.remind({"clock": NOW - timedelta(seconds=1)})
    asyncio.run(busy._batch([]))
    assert busy.expects_timers(SOON) is expected

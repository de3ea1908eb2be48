"""However many items of a batch are refused, and however long they take, a partition gets past them; only our own faults stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.reasons import RejectCode
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import encode
from nextwave_runtime import batch as batches
from nextwave_runtime.application import Taken
from nextwave_runtime.batch import Applied, Batch, Desk, FoldFailedError, NarrowError
from nextwave_runtime.pacing import FAILED_IN_A_ROW_MAX, FOLD_SECONDS_MAX, Pace, Streak, TooManyRejectedError
from nextwave_runtime.partition_worker import PartitionWorker
from nextwave_runtime.progress import Input, Progress, moved
from nextwave_runtime.sifting import RawRecord, Sifted
from nextwave_runtime.timers import Gates
from unit.runtime.workers import BEGINNING, NOW, Slow, worker_at


def record(offset: int) -> RawRecord:
    seen = Touchpoint(id=str(offset), source="s", type="page.viewed", identifiers=("customer_id:1",), occurred_at=NOW, received_at=NOW)
    return RawRecord(offset=offset, at=NOW, wall=0.0, day=date(2026, 11, 22), key=b"k", value=encode(seen), headers={})


class Doubtful:
    """A desk at which some items are refused for a reason, and one for which the database has no place."""

    def __init__(self, refused: dict[int, RejectCode], unstorable: int = -1) -> None:
        self.refused, self.unstorable = refused, unstorable
        self.taken: list[int] = []
        self.given_up: list[int] = []
        self.stopped: PartitionWorker | None = None

    async def apply(self, _connection: Any, batch: Batch, before: Progress, _sequence: Any) -> Applied:
        failed = {f.item.offset for f in batch.failed if isinstance(f.item, Taken)}
        good = [item for item in batch.sifted.taken if item.offset not in failed]
        for item in good:
            if item.offset in self.refused:
                raise FoldFailedError(item, self.refused[item.offset], "no")
            if item.offset == self.unstorable:
                raise FoldFailedError(item, "fold_failed", "no") if len(good) == 1 else NarrowError("no")
        self.taken += [item.offset for item in good]
        self.given_up += sorted(failed)
        after = moved(before, next_offset=batch.next_offset, cursor=before.cursor, marks=before.marks, last={})
        return Applied(after, [], len(good), 0)


async def worked_off(worker: PartitionWorker, records: Sequence[RawRecord]) -> int:
    """How many batches it took until nothing was left."""
    worker._records.extend(records)
    for number in range(10_000):
        if not worker._records:
            return number
        size = worker._pace.share(worker._around.batch_max)
        await worker._batch([worker._records.popleft() for _ in range(min(size, len(worker._records)))])
    raise AssertionError("it never ends")


@pytest.mark.parametrize("refused", [51, 120, 2_000])
async def test_any_number_of_refused_messages_is_got_past_and_those_between_are_taken_in_once_and_in_order(refused: int) -> None:
    desk = Doubtful(dict.fromkeys(range(10, 10 + refused), "invalid"))
    await worked_off(worker_at(desk), [record(n) for n in range(refused + 20)])
    assert desk.taken == [*range(10), *range(10 + refused, refused + 20)]
    assert desk.given_up == list(range(10, 10 + refused))


@given(refused=st.sets(st.integers(0, 60)), unstorable=st.integers(-1, 60), batch_max=st.integers(1, 70))
def test_every_message_is_taken_in_or_given_up_exactly_once_and_in_order(refused: set[int], unstorable: int, batch_max: int) -> None:
    desk = Doubtful(dict.fromkeys(refused, "invalid"), unstorable)
    asyncio.run(worked_off(worker_at(desk, batch_max=batch_max), [record(n) for n in range(61)]))
    lost = refused | {unstorable} - {-1}
    assert desk.taken == [n for n in range(61) if n not in lost]
    assert desk.given_up == sorted(lost)


async def test_a_worker_is_at_full_width_again_soon_after_one_bad_message() -> None:
    worker = worker_at(Doubtful({}, unstorable=300))
    batches_needed = await worked_off(worker, [record(n) for n in range(6_000)])
    assert worker._pace.halvings == 0
    assert batches_needed < 60


async def test_unforeseen_failures_of_everything_stop_the_processor() -> None:
    everything = range(FAILED_IN_A_ROW_MAX + 20)
    desk = Doubtful(dict.fromkeys(everything, "fold_failed"))
    with pytest.raises(TooManyRejectedError):
        await worked_off(worker_at(desk), [record(n) for n in everything])


async def test_failures_on_one_partition_stop_nothing_while_another_one_takes_messages_in() -> None:
    shared = Streak()
    failing = worker_at(Doubtful(dict.fromkeys(range(2_000), "fold_failed")), streak=shared)
    healthy = worker_at(Doubtful({}), streak=shared)
    for start in range(0, 2_000, 400):
        await worked_off(failing, [record(n) for n in range(start, start + 400)])
        await worked_off(healthy, [record(start)])
    assert shared.length == 0


@given(st.lists(st.tuples(st.integers(0, 2), st.lists(st.sampled_from(["invalid", "too_large", "undecodable"])))))
def test_verdicts_on_items_never_stop_a_processor(rounds: list[tuple[int, list[RejectCode]]]) -> None:
    streak = Streak()
    for done, failed in rounds:
        streak.count(done=done, failed=failed * FAILED_IN_A_ROW_MAX)
    assert streak.length == 0


@given(st.integers(1, 5_000), st.integers(0, 40), st.integers(0, 40))
def test_a_pace_never_falls_below_one_item_and_comes_back(widest: int, bad: int, good: int) -> None:
    pace = Pace(widest)
    for _ in range(bad):
        pace.slower()
    assert 1 <= pace.share(widest) <= widest
    assert pace.alone == (pace.share(widest) == 1)
    narrowed = pace.halvings
    pace.done(FOLD_SECONDS_MAX)
    assert pace.halvings == narrowed
    for _ in range(good):
        pace.done(0.0)
    assert pace.halvings == max(0, narrowed - good)


async def test_a_batch_that_folds_too_long_is_left_and_a_smaller_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "FOLD_SECONDS_MAX", -1.0)
    slow = Slow()
    taken = [Taken(TOUCHPOINTS, 0, offset, NOW, "m") for offset in range(5)]
    batch = Batch(Sifted(taken=taken), next_offset=5, last_offset=4, now=NOW, timers_max=0, gates=Gates(NOW, NOW))
    with pytest.raises(NarrowError, match="folding 1 of 5 items took"):
        await Desk(slow, Input("slow", TOUCHPOINTS.name, 0), TOUCHPOINTS, 4).apply(cast("Any", None), batch, BEGINNING, (1, 0))
    assert slow.folded == 1


async def test_surroundings_that_fail_are_asked_for_less_next_time() -> None:
    worker = worker_at(Doubtful({}))

    async def taken_over() -> None:
        if worker._pace.halvings:
            worker.stop()
            return
        raise TimeoutError

    worker._take_over = taken_over  # type: ignore[method-assign]
    await worker.run()
    assert worker._pace.share(500) == 250

"""A lane without Kafka: who waits for a group, and what they hear."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nextwave_ingest.commit import RECORD_BYTES_MAX, GroupCommit
from nextwave_ingest.lane import Lane
from nextwave_ingest.records import Record
from nextwave_runtime.problem import Problem

RECORD = Record("topic", b"customer_id:7", b"{}", [])


class Batch:
    """Takes two records."""

    def __init__(self) -> None:
        self.taken = 0

    def append(self, **_record: Any) -> object | None:
        self.taken += self.taken < 3
        return None if self.taken > 2 else object()


class Broker:
    """A producer whose acknowledgements the test gives."""

    def __init__(self) -> None:
        self.sent: list[Batch] = []
        self.answers: list[asyncio.Future[None]] = []

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, _topic: str, *, partition: int) -> asyncio.Future[None]:
        assert partition == 0
        self.sent.append(batch)
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    async def until_sent(self, groups: int) -> None:
        while len(self.answers) < groups:  # noqa: ASYNC110  (the lane says nobody when it sends)
            await asyncio.sleep(0)


def a_lane(broker: Broker, settled: list[int]) -> Lane:
    return Lane(broker, "topic", 0, timing=(0.0, 5.0), settled=settled.append)


async def test_a_request_that_is_given_up_ends_nobody_elses_wait() -> None:
    broker, settled = Broker(), list[int]()
    lane = a_lane(broker, settled)
    running = asyncio.create_task(lane.run())
    groups = [lane.add(RECORD, 10), lane.add(RECORD, 20)]
    waits = [asyncio.create_task(group.landed()) for group in groups]
    await broker.until_sent(1)
    waits[0].cancel()
    await asyncio.sleep(0)
    assert not waits[1].done()
    broker.answers[0].set_result(None)
    await asyncio.wait_for(waits[1], 1)
    assert (waits[0].cancelled(), settled) == (True, [30])
    running.cancel()


async def test_groups_are_sent_one_after_the_other_and_each_tells_its_own_end() -> None:
    broker, settled = Broker(), list[int]()
    lane = a_lane(broker, settled)
    running = asyncio.create_task(lane.run())
    first, _, second = [lane.add(RECORD, size) for size in (1, 2, 4)]
    assert first is not second
    waiting = asyncio.create_task(second.landed())
    await broker.until_sent(1)
    broker.answers[0].set_result(None)
    await asyncio.wait_for(first.landed(), 1)
    await broker.until_sent(2)
    assert not waiting.done()
    broker.answers[1].set_result(None)
    await asyncio.wait_for(waiting, 1)
    await asyncio.wait_for(second.landed(), 1)  # who asks late hears it, too
    assert settled == [3, 4]
    running.cancel()


async def test_all_who_wait_hear_of_a_lost_group_and_of_those_behind_it() -> None:
    broker, settled = Broker(), list[int]()
    lane = a_lane(broker, settled)
    running = asyncio.create_task(lane.run())
    groups = [lane.add(RECORD, 1) for _ in range(4)]
    waits = [asyncio.create_task(group.landed()) for group in groups]
    await broker.until_sent(1)
    broker.answers[0].set_exception(OSError("away"))
    await asyncio.wait({running})
    lane.fail()
    told = await asyncio.gather(*waits, return_exceptions=True)
    assert [one.status for one in told if isinstance(one, Problem)] == [503] * 4
    assert settled == [2, 2]
    assert "away" in str(running.exception())
    with pytest.raises(Problem):
        await groups[0].landed()


async def test_a_message_that_no_broker_takes_never_reaches_a_lane() -> None:
    added: list[Record] = []

    class Pipeline:
        def add(self, record: Record, _size: int) -> Any:
            added.append(record)
            raise AssertionError

    commit = GroupCommit("nowhere:9092", linger_seconds=0.0, timeout_seconds=1.0, pending_bytes_max=2 * RECORD_BYTES_MAX)
    commit._pipeline = Pipeline()  # type: ignore[assignment]
    with pytest.raises(Problem) as refused:
        await commit.commit([RECORD, Record("topic", b"key", b"x" * RECORD_BYTES_MAX, [])])
    assert (refused.value.status, refused.value.kind, added) == (413, "too-large", [])

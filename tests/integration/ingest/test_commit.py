"""Group commit on the real Kafka: acknowledged means readable by anyone, and a broker that is away or frozen costs nothing but time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
import stack as real
from integration.ingest.following import following, until
from nextwave_contracts.topics import HOLDS, MAPPINGS, REDRIVEN, REJECTED, SOURCES, TOUCHPOINTS, partition_of
from nextwave_ingest.commit import RECORD_BYTES_MAX, GroupCommit
from nextwave_ingest.records import Record
from nextwave_local import kafka_server
from nextwave_local.ports import free_port
from nextwave_runtime.problem import Problem

HEADERS = [("content-type", b"application/json")]
ACCEPTED_BEFORE_KILL = 300
TOPICS = [TOUCHPOINTS.name, HOLDS.name, REJECTED.name, REDRIVEN.name, MAPPINGS.name, SOURCES.name]


def record(number: int, topic: str = TOUCHPOINTS.name, size: int = 0) -> Record:
    return Record(topic, f"customer_id:{number % 50}".encode(), f"{number}:".encode() + b"x" * size, HEADERS)


@asynccontextmanager
async def committing(bootstrap: str, timeout_seconds: float = 2.0, pending_bytes_max: int = 64_000_000) -> AsyncIterator[GroupCommit]:
    commit = GroupCommit(bootstrap, linger_seconds=0.001, timeout_seconds=timeout_seconds, pending_bytes_max=pending_bytes_max)
    job = asyncio.create_task(commit.run())
    try:
        yield commit
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        await commit.close()


async def until_ready(commit: GroupCommit, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while commit.fault:  # noqa: ASYNC110  (readiness is polled by its users, as Kubernetes does)
            await asyncio.sleep(0.05)


async def answer(commit: GroupCommit, one: Record) -> int:
    try:
        await commit.commit([one])
    except Problem as problem:
        return problem.status
    return 200


def numbers(bootstrap: str, topic: str = TOUCHPOINTS.name) -> list[int]:
    return [int(r.value.partition(b":")[0]) for r in real.read_all(bootstrap, topic)]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[kafka_server.KafkaServer]:
    """A broker of this test's own, since it is frozen and killed."""
    server = kafka_server.start(tmp_path / "kafka", free_port())
    try:
        yield server
    finally:
        if server.running():
            os.kill(server.pid, signal.SIGCONT)
        server.stop()


async def with_topics(server: kafka_server.KafkaServer, folder: Path) -> str:
    await real.Stack(server, None, folder).create_topics(TOPICS)  # type: ignore[arg-type]  # no database is asked for
    return server.bootstrap


async def test_what_was_acknowledged_is_there_once_in_its_partition_with_its_headers(
    broker: kafka_server.KafkaServer, tmp_path: Path
) -> None:
    bootstrap = await with_topics(broker, tmp_path)
    async with committing(bootstrap) as commit:
        await until_ready(commit)
        await asyncio.gather(*(commit.commit([record(n), record(n, HOLDS.name)]) for n in range(3000)))
    for topic in (TOUCHPOINTS.name, HOLDS.name):
        found = real.read_all(bootstrap, topic)
        assert sorted(numbers(bootstrap, topic)) == list(range(3000))
        assert all(r.partition == partition_of(r.key, real.PARTITIONS) and r.headers == dict(HEADERS) for r in found)


async def test_a_draining_service_goes_on_committing_until_it_is_closed(broker: kafka_server.KafkaServer, tmp_path: Path) -> None:
    bootstrap = await with_topics(broker, tmp_path)
    commit = GroupCommit(bootstrap, linger_seconds=0.001, timeout_seconds=2.0, pending_bytes_max=64_000_000)
    job = asyncio.create_task(commit.run())
    await until_ready(commit)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    assert await answer(commit, record(1)) == 200
    await commit.close()
    assert await answer(commit, record(2)) == 503
    assert numbers(bootstrap) == [1]


async def test_records_larger_than_a_batch_are_committed_too(broker: kafka_server.KafkaServer, tmp_path: Path) -> None:
    bootstrap = await with_topics(broker, tmp_path)
    async with committing(bootstrap) as commit:
        await until_ready(commit)
        await asyncio.gather(*(commit.commit([record(n, size=300_000 if n % 3 else 10)]) for n in range(30)))
        assert await answer(commit, record(30, size=RECORD_BYTES_MAX)) == 413
        assert await answer(commit, record(31, size=RECORD_BYTES_MAX - 100)) == 200
    assert sorted(numbers(bootstrap)) == [*range(30), 31]


async def test_a_broker_that_was_never_there_is_a_503_at_once() -> None:
    async with committing(f"127.0.0.1:{free_port()}") as commit:
        started = monotonic()
        assert await answer(commit, record(1)) == 503
        assert monotonic() - started < 0.5


async def test_a_frozen_broker_gives_503_in_bounded_time_and_service_returns_by_itself(
    broker: kafka_server.KafkaServer, tmp_path: Path
) -> None:
    bootstrap = await with_topics(broker, tmp_path)
    async with committing(bootstrap) as commit:
        await until_ready(commit)
        assert await answer(commit, record(0)) == 200
        os.kill(broker.pid, signal.SIGSTOP)
        started = monotonic()
        assert set(await asyncio.gather(*(answer(commit, record(n)) for n in range(1, 200)))) == {503}
        assert monotonic() - started < 8
        os.kill(broker.pid, signal.SIGCONT)
        await until_ready(commit)
        assert await answer(commit, record(1000)) == 200
    assert {0, 1000} <= set(numbers(bootstrap))


async def test_nothing_acknowledged_is_lost_when_the_broker_is_killed_and_comes_back(
    broker: kafka_server.KafkaServer, tmp_path: Path
) -> None:
    bootstrap = await with_topics(broker, tmp_path)
    accepted: set[int] = set()
    enough = asyncio.Event()

    async def post(first: int) -> None:
        for n in range(first, first + 400):
            if await answer(commit, record(n)) == 200:
                accepted.add(n)
            if len(accepted) >= ACCEPTED_BEFORE_KILL:
                enough.set()
            await asyncio.sleep(0.002)

    async with committing(bootstrap) as commit, following(bootstrap, TOUCHPOINTS) as (_, heard):
        await until_ready(commit)
        posting = [asyncio.create_task(post(k * 1000)) for k in range(8)]
        async with asyncio.timeout(60):
            await enough.wait()
        os.kill(broker.pid, signal.SIGKILL)
        await asyncio.gather(*posting)
        again = await asyncio.to_thread(kafka_server.start, tmp_path / "kafka", int(bootstrap.rpartition(":")[2]))
        try:
            await until_ready(commit)
            assert await answer(commit, record(9999)) == 200
            accepted.add(9999)
            found = set(await asyncio.to_thread(numbers, bootstrap))
            await until(lambda: {int(value.partition(b":")[0]) for value in heard} == found, 30)
        finally:
            again.stop()
    assert ACCEPTED_BEFORE_KILL < len(accepted) < 3200, "the kill fell into the posting"
    assert accepted <= found, "and who followed the topic meanwhile has heard all of it"


async def test_full_memory_is_a_429_and_empties_again(broker: kafka_server.KafkaServer, tmp_path: Path) -> None:
    bootstrap = await with_topics(broker, tmp_path)
    async with committing(bootstrap, pending_bytes_max=1_000_000) as commit:
        await until_ready(commit)
        answers = await asyncio.gather(*(answer(commit, record(n, size=30_000)) for n in range(100)))
        assert set(answers) == {200, 429}
        assert await answer(commit, record(500)) == 200
    assert len(numbers(bootstrap)) == answers.count(200) + 1

"""The rejected topic on the real Kafka: pages are exact, and what is redriven counts once, however often somebody asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
import stack as real
from integration.runtime.program import Program, all_of, expected
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import REJECTED, TOPICS
from nextwave_contracts.wire import decode, encode
from nextwave_ingest.app import Followed, create_app
from nextwave_ingest.commit import GroupCommit
from nextwave_ingest.mappings.library import Library, shipped
from nextwave_ingest.mappings.log import MappingLog
from nextwave_ingest.records import JSON, Record
from nextwave_ingest.rejected import log
from nextwave_ingest.rejected.entries import Place, Wanted, bounds, cursor
from nextwave_ingest.rejected.log import RejectedLog
from nextwave_ingest.rejected.marks import Marks
from nextwave_ingest.settings import IngestSettings
from nextwave_ingest.sources.telling import Telling
from nextwave_local.ports import free_port
from nextwave_runtime import auth
from nextwave_runtime.auth import Key, KeyFile, hash_secret
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.problem import Problem

RECORDS = 700
"""More than a window of each partition."""


def wall(instant: datetime) -> float:
    return instant.timestamp()


@asynccontextmanager
async def committing(bootstrap: str) -> AsyncIterator[GroupCommit]:
    commit = GroupCommit(bootstrap, linger_seconds=0.001, timeout_seconds=10.0, pending_bytes_max=64_000_000)
    job = asyncio.create_task(commit.run())
    try:
        async with asyncio.timeout(60):
            while commit.fault:  # noqa: ASYNC110  (readiness is polled by its users, as Kubernetes does)
                await asyncio.sleep(0.05)
        yield commit
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        await commit.close()


def refused(number: int, source: str) -> Record:
    kept = Rejected(
        reason="invalid" if number % 3 else "too_large",
        detail=str(number),
        processor="ingest",
        topic="door:segment",
        partition=-1,
        offset=-1,
        at=datetime.now(UTC),
        payload=b"x" * (number % 50),
        key=source,
    )
    return Record(REJECTED.name, f"{source}{number}".encode(), encode(kept), [JSON])


async def collect(found: RejectedLog, wanted: Wanted, limit: int, since: datetime | None = None) -> list[str]:
    """All pages, by the cursors that people would send."""
    seen: list[str] = []
    below = None
    while True:
        page = await found.page(wanted.fits, since=since, bounds=below, limit=limit)
        seen += [entry.id for entry in page.entries]
        if page.rest is None:
            return seen
        below = bounds(cursor(page.rest))


async def test_pages_hold_every_record_once_newest_first_while_others_come(stack: real.Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    await stack.create_topics([topic.name for topic in TOPICS])
    monkeypatch.setattr(log, "LOOKED_AT_MAX", 250)
    source, found = uuid4().hex, RejectedLog(stack.bootstrap, wall)
    async with committing(stack.bootstrap) as commit:
        await commit.commit([refused(n, source) for n in range(RECORDS // 2)])
        half = datetime.now(UTC)
        await asyncio.sleep(0.01)
        await commit.commit([refused(n, source) for n in range(RECORDS // 2, RECORDS)])
        first = await found.page(Wanted(source=source).fits, since=None, bounds=None, limit=40)
        await commit.commit([Record(REJECTED.name, b"strange", b"\xff{", [JSON]), *[refused(n, source + "later") for n in range(90)]])
    there = [r for r in stack.read_all(REJECTED.name) if b'"%s"' % source.encode() in r.value]
    newest_first = [f"{r.partition}-{r.offset}" for r in sorted(there, key=lambda r: (r.timestamp_ms, r.partition, r.offset), reverse=True)]
    assert len(newest_first) == RECORDS
    assert [entry.id for entry in first.entries] == newest_first[:40]
    assert await collect(found, Wanted(source=source), limit=97) == newest_first
    large = {f"{r.partition}-{r.offset}" for r in there if decode(r.value, Rejected).reason == "too_large"}
    assert await collect(found, Wanted(source=source, reason="too_large"), limit=50) == [one for one in newest_first if one in large]
    assert await collect(found, Wanted(source=source), limit=500, since=half) == newest_first[: RECORDS // 2]
    places = [Place(r.partition, r.offset) for r in there[::90]] + [Place(0, 10**9), Place(99, 0)]
    read = [kept async for kept in found.read(places)]
    assert [kept and encode(kept) for kept in read] == [r.value for r in there[::90]] + [None, None]


async def test_a_broker_that_is_away_is_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "ANSWER_SECONDS", 1.0)
    with pytest.raises(Problem) as problem:
        await RejectedLog(f"127.0.0.1:{free_port()}", wall).page(Wanted().fits, since=None, bounds=None, limit=1)
    assert (problem.value.status, problem.value.retry_after_seconds) == (503, 5)


def write_keys(path: Path, *types: str) -> Path:
    keys = (
        Key(name="crm", kind="write", hash=hash_secret("wk", "p"), types=types),
        Key(name="ops", kind="api", hash=hash_secret("at", "p"), roles=("operator",)),
    )
    path.write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=keys)))
    return path


@asynccontextmanager
async def serving(bootstrap: str, keys: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application over the real Kafka."""
    settings = IngestSettings(kafka=bootstrap, keys_file=keys, identifier_key="i" * 32, link_key="l" * 32, trace_ratio=0.0)
    async with committing(bootstrap) as commit:
        mappings, telling = MappingLog(commit, Library(shipped())), Telling(commit, "test")
        transport = httpx.ASGITransport(create_app(settings, commit, SystemClock(settings.clock), Followed(mappings, telling, Marks())))
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest", timeout=60) as client:
            yield client


async def heard_elsewhere(bootstrap: str, told_by: str) -> None:
    """Another replica hears of everything that was redriven."""
    marks = Marks()
    follower = marks.follower(bootstrap)
    job = asyncio.create_task(follower.run())
    wanted = Wanted(source="crm", redriven=True)
    try:
        async with asyncio.timeout(20):
            while marks.fault:  # noqa: ASYNC110  (readiness is polled by its users, as Kubernetes does)
                await asyncio.sleep(0.05)
        page = await RejectedLog(bootstrap, wall).page(lambda one: wanted.fits(marks.on(one)), since=None, bounds=None, limit=100)
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    assert [marks.on(one).redriven_by for one in page.entries] == [told_by] * 30


async def test_what_is_redriven_counts_once_however_often(stack: real.Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "RELOAD_SECONDS", 0.0)
    program = await Program.create(stack)
    program.start("a")
    keys = write_keys(tmp_path / "keys.json", "order.*")

    def event(number: int) -> dict[str, Any]:
        data = {"number": number, "identifiers": [f"customer_id:{program.run}-{number % 3}"]}
        return {"specversion": "1.0", "id": f"{program.run}-{number}", "source": "/crm", "type": "visit.completed", "data": data}

    batch = {"content-type": "application/cloudevents-batch+json", "authorization": "Bearer wk"}
    events = msgspec.json.encode([event(n) for n in range(30)])
    order = {"source": "crm", "reason": "not_allowed", "since": "2020-01-01T00:00:00Z"}
    try:
        async with serving(stack.bootstrap, keys) as client:
            assert (await client.post("/v1/touchpoints", content=events, headers=batch)).json()["accepted"] == 0
            write_keys(keys, "order.*", "visit.*")
            for repeated in (0, 30):
                told = (await client.post("/v1/rejected:redrive", json=order, headers={"authorization": "Bearer at"})).json()
                assert (told["touchpoints"], told["repeated"], told["refused"], told["next"]) == (30, repeated, [], None)
            assert (await client.post("/v1/touchpoints", content=events, headers=batch)).json()["accepted"] == 30
        await heard_elsewhere(stack.bootstrap, told_by="ops")
        counted = await program.until_counted(90)
        assert sorted(all_of(counted)) == sorted(expected(range(30)))
    finally:
        program.close()

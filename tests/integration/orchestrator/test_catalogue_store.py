"""The catalogue's store does the same in PostgreSQL as in memory; and only PostgreSQL: locks, timers of one transaction, a live reload."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from nextwave_contracts.actions import Content
from nextwave_contracts.clock import ClockSetting
from nextwave_contracts.topics import partition_of
from nextwave_orchestrator.assembly import CampaignRow, Version
from nextwave_orchestrator.campaigns.definition import Segment
from nextwave_orchestrator.catalogue_store import CatalogueStore, PostgresCatalogue
from nextwave_orchestrator.fold import Decider
from nextwave_orchestrator.live import LiveCatalogue
from nextwave_orchestrator.proofs import PROOF, Proof
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from nextwave_runtime.timers import Gates, take_due
from sqlalchemy import text
from stack import Stack
from unit.orchestrator.api.fake_store import FakeStore

PARTITIONS = 4
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    dsn = await stack.create_database("orchestrator")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    opened = Database(dsn)
    yield opened
    await opened.close()


@pytest.fixture(params=["postgres", "memory"])
def store(request: pytest.FixtureRequest) -> CatalogueStore:
    if request.param == "memory":
        return FakeStore()
    return postgres(request.getfixturevalue("database"))


def postgres(database: Database) -> PostgresCatalogue:
    return PostgresCatalogue(database, SystemClock(ClockSetting()), PARTITIONS)


def segment(key: str, priority: int = 100) -> bytes:
    rule = {"field": "stage", "op": "eq", "value": "decline"}
    return msgspec.json.encode(Segment(key=key, name="Zoë \0", owner="x", rule=rule, priority=priority))


async def test_what_is_written_is_read_again(store: CatalogueStore) -> None:
    async with store.changing() as session:
        saved = await session.put("segments", "b", segment("b"), "ann")
        await session.put("segments", "a", segment("a"), "ann")
        await session.set_campaign(CampaignRow("c", "published", 2), "ann")
        for n in (2, 1):
            await session.add_version(Version("c", n, b"{}"), "ann")
        await session.set_readiness("payment", True, "ann")
    async with store.reading() as session:
        assert session.revision == 2
        assert await session.document("segments", "b") == saved
        assert [s.key for s in await session.documents("segments")] == ["a", "b"]
        assert [s.key for s in await session.documents("segments", after="a", limit=1)] == ["b"]
        assert (await session.campaign("c"), await session.campaign("d")) == (CampaignRow("c", "published", 2), None)
        assert await session.campaigns() == [CampaignRow("c", "published", 2)]
        assert [v.version for v in await session.versions("c")] == [1, 2]
        assert (await session.versions("d"), len(await session.versions())) == ([], 2)
        assert await session.readiness() == {"payment": True}


async def test_a_change_that_fails_leaves_nothing(store: CatalogueStore) -> None:
    with suppress(RuntimeError):
        async with store.changing() as session:
            await session.put("segments", "a", segment("a"), "ann")
            await session.announce("campaign_stopped", "c", "paused")
            raise RuntimeError
    async with store.reading() as session:
        assert await session.documents("segments") == []
    assert await store.revision() == 1


def proof(n: int) -> Proof:
    return Proof(action_id=f"a{n}", by="ann", template="t", channel="email", address="ann@example.com", content=Content(text="Hello"))


async def test_a_proof_is_ordered_once_and_what_was_ordered_is_known(store: CatalogueStore) -> None:
    async with store.changing() as session:
        assert (await session.proof("a1"), await session.proofs_since(LONG_AGO)) == (None, [])
        await session.order_proof(proof(1), "print")
    async with store.reading() as session:
        assert (await session.proof("a1"), await session.proof("a2")) == ("print", None)
        assert (len(await session.proofs_since(LONG_AGO)), await session.proofs_since(FAR)) == (1, [])
    assert await store.revision() == 1


async def test_the_owner_of_a_proofs_partition_is_told_and_proofs_of_last_week_are_forgotten(database: Database) -> None:
    store = postgres(database)
    async with store.changing() as session:
        await session.order_proof(proof(1), "print")
    async with database.transaction() as connection:
        due = [t for n in range(PARTITIONS) for t in await take_due(connection, n, Gates(FAR, None), 10)]
        await connection.execute(text("update proofs set at = at - interval '8 days'"))
    (only,) = due
    assert (only.partition, only.key, only.kind) == (partition_of(b"test-a1", PARTITIONS), "a1", PROOF)
    assert msgspec.msgpack.decode(only.payload, type=Proof) == proof(1)
    assert {t.kind for t in due} <= Decider.hands_over
    async with store.changing() as session:
        await session.order_proof(proof(2), "print")
        assert (await session.proof("a1"), await session.proof("a2")) == (None, "print")


async def test_a_change_without_a_write_keeps_the_revision(store: CatalogueStore) -> None:
    async with store.changing() as session:
        await session.document("segments", "a")
    assert await store.revision() == 1


async def test_every_partition_is_told_once_and_only_when_the_change_is_committed(database: Database) -> None:
    store = postgres(database)
    with suppress(RuntimeError):
        async with store.changing() as session:
            await session.announce("campaign_stopped", "lost", "paused")
            raise RuntimeError
    async with store.changing() as session:
        await session.announce("campaign_stopped", "winter", "paused")
    async with database.transaction() as connection:
        due = [t for n in range(PARTITIONS) for t in await take_due(connection, n, Gates(FAR, None), 10)]
    assert [(t.partition, t.key, t.kind, t.payload, t.gate) for t in due] == [
        (n, "winter", "campaign_stopped", b"paused", "clock") for n in range(PARTITIONS)
    ]
    assert {t.kind for t in due} <= Decider.hands_over


async def test_changes_come_one_after_the_other_and_none_is_lost(database: Database) -> None:
    store = postgres(database)

    async def write(n: int) -> None:
        async with store.changing() as session:
            await session.put("segments", f"s{n}", segment(f"s{n}"), "ann")

    await asyncio.gather(*(write(n) for n in range(20)))
    async with store.reading() as session:
        stored = await session.documents("segments")
    assert sorted(s.revision for s in stored) == list(range(2, 22))
    assert await store.revision() == 21


async def test_a_change_is_in_force_within_a_second(database: Database) -> None:
    store = postgres(database)
    live = LiveCatalogue(store, b"secret")
    await live.load()
    watching = asyncio.create_task(live.watch())
    try:
        async with store.changing() as session:
            await session.put("segments", "high", segment("high"), "ann")
        async with asyncio.timeout(1):
            while not live.current().segments:  # noqa: ASYNC110  (seen from outside, as by a fold)
                await asyncio.sleep(0.01)
        assert (live.current().revision, live.current().segments[0].key) == (2, "high")
    finally:
        watching.cancel()


async def test_a_stored_rule_that_this_release_refuses_is_left_out_by_name_and_everything_else_is_in_force(database: Database) -> None:
    store = postgres(database)
    live = LiveCatalogue(store, b"secret")
    await live.load()
    watching = asyncio.create_task(live.watch())
    try:
        for bad in (b'{"key":"bad","name":"x","owner":"x","rule":{}}', segment("bad")):
            async with store.changing() as session:
                revision = (await session.put("segments", "bad", bad, "ann")).revision
                await session.put("segments", f"good-{revision}", segment(f"good-{revision}"), "ann")
            await asyncio.sleep(0.6)
            assert live.current().revision == revision, "a pause, an end or a policy stored with it is in force, too"
            assert f"good-{revision}" in {s.key for s in live.current().segments}
            assert set(live.current().misfits) == ({"segments/bad"} if b'"rule":{}' in bad else set())
            assert ("bad" in {s.key for s in live.current().segments}) is (b'"rule":{}' not in bad)
    finally:
        watching.cancel()

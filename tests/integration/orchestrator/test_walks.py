"""Walks on the real PostgreSQL: pages by partition, in an index, through crashes; and how large a segment is, from a sample."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import msgspec
import pytest
from nextwave_contracts.customers import CustomerUpdated, Value
from nextwave_contracts.decisions import RunStarted
from nextwave_contracts.topics import CUSTOMERS, partition_of
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_orchestrator.api.control import Control
from nextwave_orchestrator.api.members import audience_sizes, members_router
from nextwave_orchestrator.app import make_app
from nextwave_orchestrator.audience import sample
from nextwave_orchestrator.campaigns.lifecycle import Limits
from nextwave_orchestrator.fold import Decider, Unit
from nextwave_orchestrator.store import save_states
from nextwave_orchestrator.triggers import pages, walk
from nextwave_runtime.application import Taken, Timer, Work
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from nextwave_runtime.timers import Gates, schedule, take_due
from sqlalchemy import text
from stack import Stack
from unit.orchestrator.api.caller import FixedClock
from unit.orchestrator.api.fake_store import FakeStore
from unit.orchestrator.decision_world import MONDAY_NOON, campaign, catalogue, snapshot, wave

PARTITIONS = 2
PEOPLE = 900
"""More than two pages for each partition."""
TOP = {"key": "top", "rule": {"field": "value.cell", "op": "eq", "value": "IV"}}
AT = {"at": "2026-06-16T09:00", "zone": "Europe/Berlin"}
RULES = catalogue(campaign("news", wave("tell", "email"), entry={"on": {"schedule": AT}, "audience": {"segment": "top"}}), segments=[TOP])
DECIDER = Decider(lambda: RULES)
IDS = sorted(str(uuid5(NAMESPACE_URL, str(n))) for n in range(PEOPLE))
TOP_IDS = {one for n, one in enumerate(IDS) if n % 3}
AFTER = datetime(2026, 6, 16, 8, tzinfo=UTC)
PLAN = "explain (costs off) select customer_id from customer_states where partition = 0 and customer_id > '8' order by 1 limit 200"


class KilledError(Exception):
    """The owner dies before its commit."""


@pytest.fixture(scope="module")
async def database(stack: Stack) -> AsyncIterator[Database]:
    """Migrated, with customers of two partitions."""
    dsn = await stack.create_database("walks")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    database = Database(dsn)
    for partition in range(PARTITIONS):
        mine = [one for one in IDS if partition_of(one.encode(), PARTITIONS) == partition]
        await _batch(database, partition, [_seen(one) for one in mine], MONDAY_NOON)
    yield database
    await database.close()


def _seen(customer_id: str) -> Taken:
    profile = snapshot(customer_id=customer_id, value=Value(cell="IV" if customer_id in TOP_IDS else "I"))
    touchpoint = Touchpoint(
        id=customer_id, source="shop", type="page.viewed", identifiers=("email:a@b.de",), occurred_at=MONDAY_NOON, received_at=MONDAY_NOON
    )
    message = CustomerUpdated(customer_id=customer_id, at=MONDAY_NOON, touchpoint=touchpoint, profile=profile)
    return Taken(CUSTOMERS, 0, 0, MONDAY_NOON, message)


async def _batch(database: Database, partition: int, taken: list[Taken], now: datetime, *, killed: bool = False) -> list[Any]:
    """A batch with the timers due, as the processor does it; nothing is left of it when the owner is killed."""
    said: list[Any] = []
    async with database.transaction() as connection:
        due: list[Timer] = [] if taken else await take_due(connection, partition, Gates(now, now), 100)
        unit: Unit = await DECIDER.load(connection, Work(CUSTOMERS, partition, PARTITIONS, now, taken, due))
        items: list[Taken | Timer] = [*taken, *due]
        for item in items:
            said += [outgoing.message for outgoing in DECIDER.fold(unit, item, now)]
        await DECIDER.save(connection, unit)
        if killed:
            raise KilledError
    return said or (["timers"] if due else [])


async def _until_nothing_is_due(database: Database, partition: int) -> list[Any]:
    """Batch after batch; before every third one the owner dies, and its batch is lost."""
    said: list[Any] = []
    for number in count():
        if number % 3 == 0:
            with pytest.raises(KilledError):
                await _batch(database, partition, [], AFTER, killed=True)
        told = await _batch(database, partition, [], AFTER)
        if not told:
            break
        said += told
    return said


async def test_pages_hold_every_customer_of_the_partition_once_also_those_written_by_the_build_before(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("update customer_states set partition = null where customer_id > '4' and customer_id < 'a'"))
        for partition in range(PARTITIONS):
            found: list[str] = []
            while page := await pages.page(connection, partition, PARTITIONS, found[-1] if found else ""):
                assert len(page) <= walk.PAGE
                found += page
            assert found == [one for one in IDS if partition_of(one.encode(), PARTITIONS) == partition]
        await connection.rollback()


async def test_a_page_is_read_by_the_index_and_not_by_a_scan(database: Database) -> None:
    async with database.transaction() as connection:
        for other in ("enable_seqscan", "enable_bitmapscan"):  # of few rows the planner would rather read all
            await connection.execute(text(f"set local {other} = off"))
        plan = "\n".join((await connection.execute(text(PLAN))).scalars())
    assert "customer_states_by_partition" in plan
    assert "Sort" not in plan


async def test_everybody_in_the_segment_enters_once_although_the_owner_dies_again_and_again(database: Database) -> None:
    async with database.transaction() as connection:
        opened = [Timer(n, MONDAY_NOON, "news", walk.OPENED, b"1") for n in range(PARTITIONS)]
        await schedule(connection, opened)
    said = [message for partition in range(PARTITIONS) for message in await _until_nothing_is_due(database, partition)]
    entered = Counter(message.customer_id for message in said if isinstance(message, RunStarted))
    assert entered == Counter(dict.fromkeys(TOP_IDS, 1))


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The owner's API over these customers."""
    key = Key(name="vera", kind="api", hash=hash_secret("secret", "p"), roles=("viewer", "editor"))
    (tmp_path / "keys.json").write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=(key,))))
    limits = Limits(budget_max=0, audience_max=0)
    control = Control(store=FakeStore(), clock=FixedClock(), keyring=Keyring(tmp_path / "keys.json"), limits=limits)
    app = make_app(control)
    app.include_router(members_router(database))
    headers = {"authorization": "Bearer secret"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://orchestrator", headers=headers) as client:
        saved = await client.put("/v1/segments/top", json={"name": "Top", "owner": "x", "rule": TOP["rule"]})
        assert saved.status_code == 201
        yield client


async def test_a_small_house_is_counted_exactly_by_the_saved_rule_and_by_one_that_is_only_proposed(client: httpx.AsyncClient) -> None:
    saved = (await client.post("/v1/segments/top:estimate")).json()
    assert (saved["size"], saved["exact"], saved["customers"]) == (len(TOP_IDS), True, PEOPLE)
    proposed = (await client.post("/v1/segments/new:estimate", json={"rule": {"not": TOP["rule"]}})).json()
    assert (proposed["size"], proposed["low"], proposed["high"]) == (PEOPLE - len(TOP_IDS),) * 3
    wrong = await client.post("/v1/segments/new:estimate", json={"rule": {"field": "value.cel", "op": "eq", "value": "I"}})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/rule/field")
    assert (await client.post("/v1/segments/nowhere:estimate")).status_code == 404


async def test_a_larger_house_is_estimated_from_a_sample_and_the_truth_is_within(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "PAGE", 100)
    monkeypatch.setattr(sample, "SAMPLED_MAX", 300)
    async with database.transaction() as connection:
        await connection.execute(text("analyze customer_states"))
    tries = [(await client.post("/v1/segments/top:estimate")).json() for _ in range(20)]
    assert all(not one["exact"] and 300 <= one["sampled"] < 400 for one in tries)
    assert all(abs(one["customers"] - PEOPLE) < PEOPLE * 0.05 for one in tries)
    assert sum(one["low"] <= len(TOP_IDS) <= one["high"] for one in tries) >= 16
    size = audience_sizes(database, FixedClock())
    assert abs(await size(RULES.segments[0].matches) - len(TOP_IDS)) < 100
    assert abs(await size(lambda _: True) - PEOPLE) < PEOPLE * 0.05


async def test_members_are_shown_without_addresses_and_those_of_two_questions_differ(client: httpx.AsyncClient) -> None:
    first, second = [(await client.get("/v1/segments/top/members", params={"limit": 10})).json() for _ in range(2)]
    assert len(first["items"]) == 10
    assert not first["complete"]
    assert all(one["customer_id"] in TOP_IDS for one in first["items"])
    assert "ann@example.com" not in msgspec.json.encode(first).decode()
    assert [one["customer_id"] for one in first["items"]] != [one["customer_id"] for one in second["items"]]
    assert (await client.get("/v1/segments/top/members", params={"limit": 101})).status_code == 422


async def test_who_became_part_of_another_is_no_member(client: httpx.AsyncClient, database: Database) -> None:
    gone = min(TOP_IDS)
    async with database.transaction() as connection:
        states = await DECIDER.load(connection, Work(CUSTOMERS, 0, PARTITIONS, MONDAY_NOON, [_seen(gone)], []))
        await save_states(connection, [msgspec.structs.replace(states.states[gone], absorbed_into="other")], PARTITIONS)
    assert (await client.post("/v1/segments/top:estimate")).json()["size"] == len(TOP_IDS) - 1

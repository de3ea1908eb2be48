"""On the real PostgreSQL: how many people are in each version is what their states say, and a campaign's drain and migration are kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from nextwave_contracts.clock import ClockSetting
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.topics import CUSTOMERS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_orchestrator.assembly import CampaignRow
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.catalogue_store import PostgresCatalogue
from nextwave_orchestrator.fold import Decider
from nextwave_runtime.application import Taken, Work
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from stack import Stack
from unit.orchestrator.decision_world import MONDAY_NOON, campaign, catalogue, snapshot, wave

FIRST, SECOND = campaign("winter", wave("tell", "email")), campaign("winter", wave("tell", "email"), version=2)


async def batch(database: Database, partition: int, rules: Catalogue, *events: tuple[str, str]) -> None:
    """Events of customers, taken in by the owner of a partition."""
    taken = [_taken(n, customer, kind) for n, (customer, kind) in enumerate(events)]
    decider = Decider(lambda: rules)
    async with database.transaction() as connection:
        unit = await decider.load(connection, Work(CUSTOMERS, partition, 2, MONDAY_NOON + timedelta(minutes=9), taken, []))
        for one in taken:
            list(decider.fold(unit, one, MONDAY_NOON))
        await decider.save(connection, unit)


def _taken(n: int, customer: str, kind: str) -> Taken:
    at = MONDAY_NOON + timedelta(seconds=n)
    event = Touchpoint(id=f"{customer}-{n}", source="s", type=kind, identifiers=("email:a@b.de",), occurred_at=at, received_at=at)
    return Taken(
        CUSTOMERS, 0, n, at, CustomerUpdated(customer_id=customer, at=at, touchpoint=event, profile=snapshot(customer_id=customer))
    )


async def test_people_are_counted_by_version_over_all_partitions_as_they_enter_move_and_leave(stack: Stack) -> None:
    dsn = await stack.create_database("flights")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    database = Database(dsn)
    store = PostgresCatalogue(database, SystemClock(ClockSetting()), 2)
    old, new = catalogue(FIRST), catalogue(FIRST, SECOND, live=(SECOND,), migrations={"winter": 2})
    counts = []
    for partition, rules, events in (
        (0, old, [("a", "cart.updated"), ("b", "cart.updated")]),
        (1, old, [("c", "cart.updated")]),
        (1, new, [("c", "page.viewed"), ("d", "cart.updated")]),
        (0, new, [("a", "contract.renewed"), ("b", "nothing.new")]),
    ):
        await batch(database, partition, rules, *events)
        async with store.reading() as session:
            counts.append(await session.in_flight("winter"))
    assert counts == [{1: 2}, {1: 3}, {1: 2, 2: 2}, {2: 3}]
    async with store.changing() as session:
        await session.set_campaign(CampaignRow("winter", "published", 2, migrates_to=2, drains=True), "ann")
    async with store.reading() as session:
        assert await session.campaigns() == [CampaignRow("winter", "published", 2, 2, drains=True)]
        assert await session.in_flight("other") == {}
    await database.close()

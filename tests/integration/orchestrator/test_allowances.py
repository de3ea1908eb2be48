"""Budgets and capacities on the real PostgreSQL: owners of several partitions at once, crashes, new amounts, silent partitions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from integration.orchestrator.town import BUDGET, COST, MINUTE, PARTITIONS, SMS, Town
from nextwave_contracts.topics import CUSTOMERS, partition_of
from nextwave_orchestrator import leasing
from nextwave_runtime.application import OutdatedError, Work
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from sqlalchemy import text
from stack import Stack


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    dsn = await stack.create_database("allowances")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    opened = Database(dsn)
    yield opened
    await opened.close()


async def test_of_a_thousand_candidates_at_once_exactly_those_act_for_whom_the_budget_is_enough(database: Database) -> None:
    town = Town(database, crashes=0.2)
    await town.publish(300 * COST)
    town.arrive(range(1_000))
    await town.work()
    assert len(town.contacts) == 300
    assert (town.count("act", "permitted"), town.count("withhold", "budget")) == (300, 700)
    used = await town.used(BUDGET)
    assert (used.spent, used.left) == (300 * COST, 0)
    assert len(used.holdings) == PARTITIONS


async def test_nothing_is_stranded_on_partitions_that_have_fallen_silent(database: Database) -> None:
    town = Town(database)
    await town.publish(300 * COST)
    town.arrive(range(12))
    await town.work()
    silent = partition_of(b"c-0", PARTITIONS)
    before = await town.used(BUDGET)
    assert sum(one.left for n, one in before.holdings.items() if n != silent) > 0
    town.arrive(range(12, 2_000))
    await town.work(silent)
    assert len(town.contacts) == 300
    assert (await town.used(BUDGET)).left == 0


async def test_what_failed_can_be_spent_again_by_anybody(database: Database) -> None:
    town = Town(database, crashes=0.1)
    await town.publish(50 * COST)
    town.arrive(range(200))
    await town.work()
    failed = sorted(town.contacts.values(), key=lambda contact: contact.action_id)[:20]
    for contact in failed:
        town.fail(contact)
    await town.work()
    assert (await town.used(BUDGET)).left == 20 * COST
    town.arrive(range(200, 400))
    await town.work()
    assert len(town.contacts) == 70
    assert (await town.used(BUDGET)).spent == 50 * COST


async def test_a_new_amount_acts_at_once_also_on_what_was_shared_out_already(database: Database) -> None:
    town = Town(database)
    await town.publish(None)
    town.arrive(range(40))
    await town.work()
    assert len(town.contacts) == 40
    await town.publish(41 * COST)
    town.arrive(range(40, 80))
    await town.work()
    assert len(town.contacts) == 41
    await town.publish(10 * COST)
    town.arrive(range(80, 120))
    await town.work()
    assert (len(town.contacts), (await town.used(BUDGET)).left) == (41, 0)
    await town.publish(60 * COST)
    town.arrive(range(120, 200))
    await town.work()
    assert len(town.contacts) == 60


async def test_a_batch_whose_lease_was_shared_out_meanwhile_is_done_again_and_not_overspent(database: Database) -> None:
    town = Town(database)
    await town.publish(1_000 * COST)  # an eighth of what is free goes to each: more than all of them need, so everybody has some left
    town.arrive(range(30))
    await town.work()
    number = next(n for n in range(100, 200) if partition_of(f"c-{n}".encode(), PARTITIONS) == 0)
    town.put(f"c-{number}", touchpoint=town.cart(number))
    (late,) = town.waiting[0]
    async with database.transaction() as connection:
        unit = await town.decider.load(connection, Work(CUSTOMERS, 0, PARTITIONS, town.now, [late], []))
        await town.publish(30 * COST)
        assert [type(one.message).__name__ for one in town.decider.fold(unit, late, town.now)].count("Contact") == 1
        with pytest.raises(OutdatedError, match="budget/winter was shared out anew"):
            await town.decider.save(connection, unit)
        await connection.rollback()
    await town.work()
    assert len(town.contacts) == 30
    assert (await town.used(BUDGET)).spent == 30 * COST


async def test_a_capacity_holds_in_every_period_and_all_who_wait_come_to_their_turn(database: Database) -> None:
    town = Town(database, crashes=0.1)
    await town.publish(None)
    await town.limit(40, MINUTE)
    town.arrive(range(150))
    per_minute: list[int] = []
    until: datetime = town.now + 12 * MINUTE
    while town.now < until and len(town.contacts) < 150:
        before = len(town.contacts)
        await town.work()
        per_minute.append(len(town.contacts) - before)
        town.now += MINUTE
    assert max(per_minute) <= 40
    assert per_minute[0] == 40
    assert len(town.contacts) == 150
    assert town.count("withhold", "capacity") == 0


async def test_periods_of_another_length_begin_anew_and_no_capacity_means_no_limit(database: Database) -> None:
    town = Town(database)
    await town.publish(None)
    await town.limit(0, MINUTE)
    town.arrive(range(20))
    await town.work()
    assert (len(town.contacts), town.count("defer", "capacity")) == (0, 20)
    await town.limit(5, timedelta(hours=1))
    town.arrive(range(20, 40))
    await town.work()
    assert len(town.contacts) == 5
    async with town.store.changing() as session:
        assert await session.drop_capacity(SMS)
    town.arrive(range(40, 60))
    await town.work()
    assert len(town.contacts) == 25


async def test_what_the_build_before_published_on_this_database_has_its_limit_too(database: Database) -> None:
    town = Town(database)
    await town.publish(10 * COST)
    async with database.transaction() as connection:
        await connection.execute(text("delete from allowances"))  # as that build, which knows no allowances, leaves it
    town.arrive(range(100))
    await town.work()
    assert len(town.contacts) == 10
    assert (await town.used(BUDGET)).left == 0


async def test_a_capacity_that_is_dropped_while_a_batch_asks_for_some_limits_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(database)
    await town.publish(None)
    await town.limit(0, MINUTE)
    town.arrive(range(20))
    await town.work()
    peek = leasing._PEEK

    class DroppedMeanwhile:
        async def rows(self, connection: Any, bound: dict[str, Any]) -> Any:
            async with town.store.changing() as session:
                await session.drop_capacity(SMS)
            return await peek.rows(connection, bound)

    monkeypatch.setattr(leasing, "_PEEK", DroppedMeanwhile())
    town.arrive(range(20, 40))
    await town.work()
    assert len(town.contacts) == 20


async def test_a_clock_that_ran_ahead_leaves_capacity_to_those_that_are_right(database: Database) -> None:
    town = Town(database)
    await town.publish(None)
    await town.limit(1_000, MINUTE)
    town.arrive(range(20))
    town.now += timedelta(hours=26)
    await town.work()
    assert len(town.contacts) == 20
    town.now -= timedelta(hours=26)
    town.arrive(range(20, 60))
    await town.work()
    assert len(town.contacts) == 60
    assert (await town.used(SMS)).spent <= 1_000

"""On the real PostgreSQL: a database of the build before becomes one of this build, whatever that build had accepted."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
from nextwave_contracts.clock import ClockSetting
from nextwave_orchestrator.allowances import budget_of
from nextwave_orchestrator.assembly import CampaignRow, Version
from nextwave_orchestrator.catalogue_store import PostgresCatalogue
from nextwave_orchestrator.flights import people_in
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from sqlalchemy import text
from stack import Stack
from unit.orchestrator.campaigns.winter import put, written

MIGRATIONS = "nextwave_orchestrator.migrations"
BEFORE = "0002"
AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
VERSIONS: dict[str, dict[str, Any]] = {
    "plain": {"budget": {"amount": 500}},
    "endless": {"budget": {"amount": 2**63}},
    "nul": {"owner": "a\0b", "budget": {"amount": 7}},
    "free": {},
}


async def a_database(stack: Stack, revision: str) -> tuple[Database, str]:
    """One that the migrations have brought as far as this one, and its address."""
    dsn = await stack.create_database("upgrading")
    await asyncio.to_thread(upgrade, MIGRATIONS, dsn, revision)
    return Database(dsn), dsn


async def write_as_before(database: Database) -> None:
    """Campaigns in a version each, and a decision with a NUL in what it says."""
    async with database.transaction() as connection:
        for key, body in VERSIONS.items():
            bound = {"key": key, "body": json.dumps(body)}
            await connection.execute(text("insert into campaigns values (:key, 'published', 1, default, 'ann')"), bound)
            await connection.execute(text("insert into campaign_versions values (:key, 1, :body, default, 'ann')"), bound)
        record = {"decision_id": "d", "version": 3, "attempts": [{"detail": "not ready: a\0b", "version": 9}]}
        given = {"record": json.dumps(record, separators=(",", ":")).encode(), "at": AT}
        decided = "insert into decisions values ('d', 'c', 'plain', 'tell', '', '', 'defer', 'not_ready', :at, :record, '')"
        await connection.execute(text(decided), given)


async def test_whatever_the_build_before_accepted_is_migrated(stack: Stack) -> None:
    database, dsn = await a_database(stack, BEFORE)
    await write_as_before(database)
    await asyncio.to_thread(upgrade, MIGRATIONS, dsn)
    async with database.transaction() as connection:
        budgets = (await connection.execute(text("select scope, amount from allowances"))).all()
        booked = (await connection.execute(text("select campaign, version, code, count from bookings"))).all()
    assert dict(map(tuple, budgets)) == {
        budget_of("plain"): 500,
        budget_of("endless"): 2**63 - 1,
        budget_of("nul"): 7,
        budget_of("free"): None,
    }
    assert list(map(tuple, booked)) == [("plain", 3, "defer/not_ready", 1)]
    await database.close()


async def test_a_campaign_that_the_build_before_accepted_can_still_be_ended(stack: Stack) -> None:
    database, _ = await a_database(stack, "head")
    body = msgspec.json.encode(put(written(), "/owner", "a\0b") | {"budget": {"amount": 2**63}})
    async with PostgresCatalogue(database, SystemClock(ClockSetting()), 1).changing() as session:
        await session.add_version(Version("winter-renewal", 1, body), "ann")
        await session.set_campaign(CampaignRow("winter-renewal", "ended", 1), "ann")
        assert [used.amount for used in await session.allowances("budget/")] == [2**63 - 1]
    await database.close()


async def test_who_was_under_way_before_anybody_was_counted_is_not_counted_when_they_end(stack: Stack) -> None:
    database, _ = await a_database(stack, "head")
    async with database.transaction() as connection:
        await connection.execute(text("insert into flights values (0, 'plain', 1, -3), (0, 'plain', 2, 2), (1, 'plain', 3, 0)"))
        assert await people_in(connection, "plain") == {2: 2}
    await database.close()

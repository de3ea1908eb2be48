"""On the real PostgreSQL: a database with deliveries of the first build is brought up to date while that build goes on writing to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from nextwave_runtime.migrate import upgrade
from stack import Stack

MIGRATIONS = "nextwave_channels.migrations"
INSERT = (
    "insert into deliveries (action_id, customer_id, campaign, wave, run_id, channel, purpose, partition, subjects, state, due_at, value,"
    " received_at, changed_at, contact) values ($1, 'c', 'renewal', 'w', 'r', 'email', 'marketing', 0, '{}', 'due', now(), 1, now(), now(),"
    " '')"
)
"""What the first build writes."""
INDEXES = "select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where indisvalid and c.relname = any($1::text[])"
BUILT = ["deliveries_due_of_list", "deliveries_provider_id", "deliveries_due_until", "deliveries_calls_out"]


async def at(stack: Stack, revision: str) -> str:
    dsn = await stack.create_database("upgrading")
    await asyncio.to_thread(upgrade, MIGRATIONS, dsn, revision)
    return dsn


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def waits(connection: Any, statement: str) -> None:
    """Until a statement that begins like this waits for a lock."""
    asked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() and query ilike $1"
    async with asyncio.timeout(60):
        while not await connection.fetchval(asked, f"{statement}%"):  # noqa: ASYNC110  (what is waited for happens in the database)
            await asyncio.sleep(0.01)


async def test_deliveries_of_the_first_build_are_kept_and_upgrading_again_changes_nothing(stack: Stack) -> None:
    dsn = await at(stack, "0001")
    async with connected(dsn) as connection:
        await connection.execute(INSERT, "a1")
        for _ in range(2):
            await asyncio.to_thread(upgrade, MIGRATIONS, dsn)
        row = await connection.fetchrow("select action_id, state, list, provider, cost, not_after from deliveries")
        assert tuple(row) == ("a1", "due", "", "", None, None)
        await connection.execute(INSERT, "a2")
        assert {name for (name,) in await connection.fetch(INDEXES, BUILT)} == set(BUILT)


async def test_several_upgrade_at_once(stack: Stack) -> None:
    dsn = await at(stack, "0001")
    await asyncio.gather(*(asyncio.to_thread(upgrade, MIGRATIONS, dsn) for _ in range(3)))
    async with connected(dsn) as connection:
        assert {name for (name,) in await connection.fetch(INDEXES, BUILT)} == set(BUILT)


@pytest.mark.parametrize(("before", "revision", "statement"), [("0001", "0002", "alter table"), ("0002", "0003", "create index")])
async def test_whoever_writes_deliveries_is_not_kept_while_a_revision_waits(
    stack: Stack, before: str, revision: str, statement: str
) -> None:
    dsn = await at(stack, before)
    async with connected(dsn) as slow, connected(dsn) as other:
        await other.execute("set lock_timeout = '20s'")
        under_way = slow.transaction()
        await under_way.start()
        await slow.execute(INSERT, "slow")
        upgrading = asyncio.create_task(asyncio.to_thread(upgrade, MIGRATIONS, dsn, revision))
        await waits(other, statement)
        await other.execute(INSERT, "other")
        await under_way.commit()
        await upgrading
        assert await other.fetchval("select count(*) from deliveries") == 2
        assert await other.fetchval("select version_num from alembic_version") == revision


async def test_an_interrupted_build_of_an_index_is_made_good(stack: Stack) -> None:
    dsn = await at(stack, "0001")
    async with connected(dsn) as connection:
        await connection.execute("alter table deliveries add column list text not null default ''")
        await connection.execute(INSERT, "a1")
        await connection.execute(INSERT, "a2")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("create unique index concurrently deliveries_due_of_list on deliveries (list)")
        await asyncio.to_thread(upgrade, MIGRATIONS, dsn)
        assert {name for (name,) in await connection.fetch(INDEXES, BUILT)} == set(BUILT)
        assert "UNIQUE" not in await connection.fetchval("select indexdef from pg_indexes where indexname = 'deliveries_due_of_list'")

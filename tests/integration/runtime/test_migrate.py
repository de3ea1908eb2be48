"""Migrations go up only: run again they change nothing, and a build that is rolled back leaves a newer database as it is."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from nextwave_runtime.migrate import upgrade
from stack import Stack


@pytest.mark.parametrize("service", ["scoring", "orchestrator", "channels"])
async def test_an_older_build_leaves_a_database_that_a_newer_one_brought_further_as_it_is(stack: Stack, service: str) -> None:
    dsn, package = await stack.create_database(f"older_{service}"), f"nextwave_{service}.migrations"
    for _ in range(2):
        await asyncio.to_thread(upgrade, package, dsn)
    connection = await asyncpg.connect(dsn)
    await connection.execute("update alembic_version set version_num = '9999'")
    await asyncio.to_thread(upgrade, package, dsn)
    assert await connection.fetchval("select version_num from alembic_version") == "9999"
    assert await connection.fetchval("select count(*) from progress") == 0
    await connection.close()

"""A channels database of its own for every test, on the real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from channels_place import HandClock, Place
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from stack import Stack


@pytest.fixture
async def place(stack: Stack) -> AsyncIterator[Place]:
    dsn = await stack.create_database("channels")
    await asyncio.to_thread(upgrade, "nextwave_channels.migrations", dsn)
    database = Database(dsn)
    try:
        yield Place(database, HandClock())
    finally:
        await database.close()

"""A desk over a fresh database, and a client of the API over the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from nextwave_contracts.clock import ClockSetting
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from nextwave_scoring.api.application import Answers
from stack import Stack

from .desk import FOLD, REGISTRY, START, Desk


@pytest.fixture
async def desk(stack: Stack) -> AsyncIterator[Desk]:
    dsn = await stack.create_database("scoring")
    await asyncio.to_thread(upgrade, "nextwave_scoring.migrations", dsn)
    database = Database(dsn)
    yield Desk(database)
    await database.close()


@pytest.fixture
async def client(desk: Desk, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    keys = [Key(name=role, kind="api", hash=hash_secret(role, "p"), roles=(role,)) for role in ("viewer", "agent", "operator")]
    keys.append(Key(name="shop", kind="write", hash=hash_secret("shop", "p")))
    path = tmp_path / "keys.json"
    path.write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=tuple(keys))))
    app = Answers(desk.database, Keyring(path), FOLD, REGISTRY, SystemClock(ClockSetting(epoch_seconds=0, origin=START, speed=1e-9))).app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://scoring") as made:
        yield made

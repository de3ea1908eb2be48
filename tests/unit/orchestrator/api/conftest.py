"""The owner's API over a store in memory, with one caller for each role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from nextwave_orchestrator.api.control import Control
from nextwave_orchestrator.app import make_app
from nextwave_runtime.auth import ROLES, Key, KeyFile, Keyring, hash_secret
from unit.orchestrator.api.caller import Caller, FixedClock
from unit.orchestrator.api.fake_store import FakeStore


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def call(store: FakeStore, tmp_path: Path) -> AsyncIterator[Caller]:
    keys = tuple(Key(name=role, kind="api", hash=hash_secret(f"{role}-secret", "p"), roles=(role,)) for role in ROLES)
    (tmp_path / "keys.json").write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=keys)))
    control = Control(store=store, clock=FixedClock(), keyring=Keyring(tmp_path / "keys.json"), editor_budget_max=100_000)
    transport = httpx.ASGITransport(make_app(control))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Caller(client)

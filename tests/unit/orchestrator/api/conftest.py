"""The owner's API over a store in memory, with one caller for each role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from unit.orchestrator.api.caller import Caller, calling
from unit.orchestrator.api.fake_store import FakeStore


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def call(store: FakeStore, tmp_path: Path) -> AsyncIterator[Caller]:
    async with calling(store, tmp_path) as caller:
        yield caller

"""The simulated world without sockets: its HTTP side over ASGI, and what it would do next."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from nextwave_contracts.clock import ClockSetting
from nextwave_local.simulator.app import application
from nextwave_local.simulator.dialler_door import Dialler
from nextwave_local.simulator.errands import Errands
from nextwave_local.simulator.ledger import Ledger
from nextwave_local.simulator.world import World
from unit.local.simulated import DOORS


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = ClockSetting()
    return World(DOORS, Ledger(tmp_path / "ledger.jsonl"), Errands(clock, httpx.AsyncClient()), clock)


@pytest.fixture
def dialler(world: World) -> Dialler:
    return Dialler(world)


@pytest.fixture
async def client(world: World, dialler: Dialler) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(world, dialler))
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator", auth=("AC1", "token")) as client:
        yield client

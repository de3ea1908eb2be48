"""One running stack for the tests of the whole ring."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from ring.ring import ORIGIN, SPEED, Ring, start, stop


@pytest.fixture(scope="session")
async def ring(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ring]:
    """The ring with two scoring replicas, no caps, and people who do nothing unless a test says so."""
    state: Path = tmp_path_factory.mktemp("ring") / "state"
    start(state, "--speed", str(SPEED), "--from", ORIGIN, "--replicas", "scoring=2")
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            running = Ring(state, client)
            await running.api("orchestrator", "PUT", "/v1/policy", {"caps": []})
            yield running
    finally:
        stop(state)

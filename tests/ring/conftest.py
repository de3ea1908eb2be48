"""One running stack for the tests of the whole ring."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from ring.ring import ORIGIN, SPEED, Ring, start, stop

CAPS = [{"most": 3, "per": "24h", "campaign": "burst"}, {"most": 1, "per": "24h", "purpose": "care"}]


@pytest.fixture(scope="session")
async def ring(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ring]:
    """The ring with two replicas of scoring and orchestrator, caps for one campaign and one purpose, and people who do nothing yet."""
    state: Path = tmp_path_factory.mktemp("ring") / "state"
    start(state, "--speed", str(SPEED), "--from", ORIGIN, "--replicas", "scoring=2", "--replicas", "orchestrator=2")
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            running = Ring(state, client)
            await running.api("orchestrator", "PUT", "/v1/policy", {"caps": CAPS})
            yield running
    finally:
        stop(state)

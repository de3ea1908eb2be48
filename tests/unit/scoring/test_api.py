"""Who is let in comes before what was asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from nextwave_contracts.clock import ClockSetting
from nextwave_runtime.auth import KeyFile, Keyring
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.database import Database
from nextwave_scoring.api.application import Answers
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.registry.registry import Registry


@pytest.mark.parametrize("query", ["", "?limit=0"])
async def test_every_route_asks_for_a_token_before_it_looks_at_the_question(tmp_path: Path, query: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(msgspec.json.encode(KeyFile(pepper="p")))
    clock = SystemClock(ClockSetting(epoch_seconds=0, origin=datetime(2026, 1, 1, tzinfo=UTC), speed=1))
    registry = Registry(Baseline(DEFAULT))
    database = Database("postgresql://nobody@localhost/nothing")
    app = Answers(database, Keyring(keys), Fold(Judge(registry)), registry, clock).app()
    ways = [(way, path.replace("{customer_id}", "x")) for path, item in app.openapi()["paths"].items() for way in item]
    assert len(ways) >= 10
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scoring") as client:
        assert {(way, path): (await client.request(way, path + query)).status_code for way, path in ways} == dict.fromkeys(ways, 401)

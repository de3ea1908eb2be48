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
from nextwave_scoring.api import Answers
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Judge
from nextwave_scoring.value import Economics


@pytest.mark.parametrize("query", ["", "?limit=0"])
async def test_every_route_asks_for_a_token_before_it_looks_at_the_question(tmp_path: Path, query: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(msgspec.json.encode(KeyFile(pepper="p")))
    clock = SystemClock(ClockSetting(epoch_seconds=0, origin=datetime(2026, 1, 1, tzinfo=UTC), speed=1))
    app = Answers(Database("postgresql://nobody@localhost/nothing"), Keyring(keys), Judge(DEFAULT, Economics()), clock).app()
    paths = [path.replace("{customer_id}", "x") for path in app.openapi()["paths"]]
    assert len(paths) >= 6
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scoring") as client:
        assert {path: (await client.get(path + query)).status_code for path in paths} == dict.fromkeys(paths, 401)

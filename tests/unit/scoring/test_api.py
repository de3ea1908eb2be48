"""Who is let in comes before what was asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from nextwave_contracts.clock import ClockSetting
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.database import Database
from nextwave_scoring.api.application import Answers
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.registry.registry import Registry


def _app(keys: Path) -> FastAPI:
    key = Key(name="ann", kind="api", hash=hash_secret("t", "p"), roles=("viewer",))
    keys.write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=(key,))))
    clock = SystemClock(ClockSetting(epoch_seconds=0, origin=datetime(2026, 1, 1, tzinfo=UTC), speed=1))
    registry = Registry(Baseline(DEFAULT))
    database = Database("postgresql://nobody@localhost/nothing")
    return Answers(database, Keyring(keys), Fold(Judge(registry)), registry, clock).app()


async def _asked(app: FastAPI, query: str, headers: dict[str, str]) -> dict[tuple[str, str], httpx.Response]:
    ways = [(way, path.replace("{customer_id}", "x")) for path, item in app.openapi()["paths"].items() for way in item]
    assert len(ways) >= 10
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scoring", headers=headers) as client:
        return {(way, path): await client.request(way, path + query) for way, path in ways}


@pytest.mark.parametrize("query", ["", "?limit=0", "?custmer=x"])
async def test_every_route_asks_for_a_token_before_it_looks_at_the_question(tmp_path: Path, query: str) -> None:
    told = await _asked(_app(tmp_path / "keys.json"), query, {})
    assert {way: answer.status_code for way, answer in told.items()} == dict.fromkeys(told, 401)


async def test_every_route_refuses_a_parameter_that_it_does_not_know(tmp_path: Path) -> None:
    told = await _asked(_app(tmp_path / "keys.json"), "?custmer=x", {"authorization": "Bearer t"})
    assert {answer.json()["errors"][0]["pointer"] for answer in told.values()} == {"/query/custmer"}
    assert "did you mean customer?" in told["get", "/v1/reviews"].json()["errors"][0]["detail"]

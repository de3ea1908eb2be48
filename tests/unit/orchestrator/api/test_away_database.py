"""What the owner's API and the catalogue do while the database is away."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from nextwave_orchestrator.live import LiveCatalogue
from sqlalchemy.exc import OperationalError
from unit.orchestrator.api.caller import Caller
from unit.orchestrator.api.fake_store import FakeStore

AWAY = [
    asyncpg.CannotConnectNowError("starting up"),
    asyncpg.InterfaceError("closed"),
    OperationalError("select", {}, OSError()),
    OSError(),
]


@pytest.mark.parametrize("error", AWAY, ids=lambda e: type(e).__name__)
async def test_while_the_database_is_away_the_api_says_so_and_when_to_come_back(
    call: Caller, store: FakeStore, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(store, "reading", _failing(error))
    answer = await call("viewer", "GET", "/v1/policy")
    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "2")
    assert answer.json()["type"] == "urn:nextwave:problem:unavailable"


@pytest.mark.parametrize("error", AWAY, ids=lambda e: type(e).__name__)
async def test_the_catalogue_goes_on_being_watched_after_the_database_was_away(
    store: FakeStore, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("nextwave_orchestrator.live.POLL_SECONDS", 0)
    live = LiveCatalogue(store, b"secret")
    await live.load()
    asked: list[int] = []

    async def revision() -> int:
        asked.append(len(asked))
        if len(asked) == 1:
            raise error
        raise asyncio.CancelledError

    monkeypatch.setattr(store, "revision", revision)
    with pytest.raises(asyncio.CancelledError):
        await live.watch()
    assert asked == [0, 1]


def _failing(error: Exception) -> Any:
    def fail() -> Any:
        raise error

    return fail

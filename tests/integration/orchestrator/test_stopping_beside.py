"""A campaign stops at once though another one is being judged for its publication, which may take long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from nextwave_contracts.clock import ClockSetting
from nextwave_orchestrator.api import campaigns
from nextwave_orchestrator.campaigns.definition import Campaign
from nextwave_orchestrator.campaigns.findings import Finding
from nextwave_orchestrator.campaigns.lint import Surroundings, lint
from nextwave_orchestrator.catalogue_store import PostgresCatalogue
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from stack import PARTITIONS, Stack
from unit.orchestrator.api.caller import Caller, calling
from unit.orchestrator.api.test_owner_api import furnish
from unit.orchestrator.campaigns.winter import put, written

STOPS_SECONDS = 5.0
"""So long a stop may take on a busy machine; the judging does not end before it."""
OTHER = "/v1/campaigns/other"


@dataclass
class Judge:
    """Judges when it may."""

    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    may_end: threading.Event = field(default_factory=threading.Event)
    judged: int = 0

    def __call__(self, campaign: Campaign, around: Surroundings) -> list[Finding]:
        self.judged += 1
        self.begun.release()
        assert self.may_end.wait(30)
        return lint(campaign, around)


@pytest.fixture
async def call(stack: Stack, tmp_path: Path) -> AsyncIterator[Caller]:
    dsn = await stack.create_database("orchestrator")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    database = Database(dsn)
    async with calling(PostgresCatalogue(database, SystemClock(ClockSetting()), PARTITIONS), tmp_path) as caller:
        await furnish(caller)
        for key in ("winter-renewal", "other"):
            await caller("editor", "PUT", f"/v1/campaigns/{key}", put(written(), "/key", key))
            assert (await caller("approver", "POST", f"/v1/campaigns/{key}:publish")).status_code == 200
        await caller("editor", "PUT", OTHER, put(put(written(), "/key", "other"), "/holdout", 0.2))
        yield caller
    await database.close()


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch, call: Caller) -> Judge:
    made = Judge()
    monkeypatch.setattr(campaigns, "lint", made)
    return made


async def published_beside(call: Caller, judge: Judge, *paused: str) -> httpx.Response:
    """What comes of a publication of the other campaign during whose judging these are paused."""
    publishing = asyncio.create_task(call("approver", "POST", f"{OTHER}:publish"))
    try:
        assert await asyncio.to_thread(judge.begun.acquire, timeout=30)
        for key in paused:
            async with asyncio.timeout(STOPS_SECONDS):
                assert (await call("operator", "POST", f"/v1/campaigns/{key}:pause")).json()["state"] == "paused"
    finally:
        judge.may_end.set()
        answer = await publishing
    return answer


async def test_a_stop_does_not_wait_until_another_campaign_is_judged_which_is_then_judged_anew(call: Caller, judge: Judge) -> None:
    published = await published_beside(call, judge, "winter-renewal")
    assert (published.status_code, published.json()["version"], judge.judged) == (200, 2, 2)
    assert (await call("viewer", "GET", "/v1/campaigns/winter-renewal")).json()["state"] == "paused"


async def test_a_publication_does_not_undo_the_stop_that_came_while_it_was_judged(call: Caller, judge: Judge) -> None:
    refused = await published_beside(call, judge, "other")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:nextwave:problem:changed-meanwhile")
    assert [(await call("viewer", "GET", OTHER)).json()[name] for name in ("state", "version")] == ["paused", 1]

"""A campaign stops at once though another one, or a template, is being judged before it is in force, which may take long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from nextwave_contracts.clock import ClockSetting
from nextwave_orchestrator.api import campaigns, segments
from nextwave_orchestrator.campaigns.contents import broken_by
from nextwave_orchestrator.campaigns.lint import lint
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
WINTER, OTHER = "/v1/campaigns/winter-renewal", "/v1/campaigns/other"


@dataclass
class Judge:
    """Judges as `of` does, when it may."""

    of: Callable[..., Any]
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    may_end: threading.Event = field(default_factory=threading.Event)
    judged: int = 0

    def __call__(self, *given: Any) -> Any:
        self.judged += 1
        self.begun.release()
        assert self.may_end.wait(30)
        return self.of(*given)


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


async def beside(judge: Judge, judged: Coroutine[Any, Any, httpx.Response], meanwhile: Coroutine[Any, Any, None]) -> httpx.Response:
    """The answer to a request during whose judging something else is done."""
    asked = asyncio.create_task(judged)
    try:
        assert await asyncio.to_thread(judge.begun.acquire, timeout=30)
        async with asyncio.timeout(STOPS_SECONDS):
            await meanwhile
    finally:
        judge.may_end.set()
        answer = await asked
    return answer


async def pause(call: Caller, path: str) -> None:
    assert (await call("operator", "POST", f"{path}:pause")).json()["state"] == "paused"


async def publish(call: Caller, path: str) -> None:
    assert (await call("approver", "POST", f"{path}:publish")).status_code == 200


async def test_a_stop_does_not_wait_until_another_campaign_is_judged_which_is_then_judged_anew(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "lint", judge := Judge(lint))
    published = await beside(judge, call("approver", "POST", f"{OTHER}:publish"), pause(call, WINTER))
    assert (published.status_code, published.json()["version"], judge.judged) == (200, 2, 2)
    assert (await call("viewer", "GET", WINTER)).json()["state"] == "paused"


async def test_a_publication_does_not_undo_the_stop_that_came_while_it_was_judged(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaigns, "lint", judge := Judge(lint))
    refused = await beside(judge, call("approver", "POST", f"{OTHER}:publish"), pause(call, OTHER))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:nextwave:problem:changed-meanwhile")
    assert [(await call("viewer", "GET", OTHER)).json()[name] for name in ("state", "version")] == ["paused", 1]


@pytest.mark.parametrize(("what", "judged"), [(partial(pause, path=WINTER), 1), (partial(publish, path=OTHER), 2)])
async def test_a_template_is_judged_while_campaigns_stop_and_anew_where_another_was_published(
    call: Caller, monkeypatch: pytest.MonkeyPatch, what: Callable[[Caller], Coroutine[Any, Any, None]], judged: int
) -> None:
    monkeypatch.setattr(segments, "broken_by", judge := Judge(broken_by))
    put_template = call("editor", "PUT", "/v1/templates/renew", {"subject": "About you", "text": "Hello again"})
    assert ((await beside(judge, put_template, what(call))).status_code, judge.judged) == (200, judged)

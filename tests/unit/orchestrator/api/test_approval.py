"""An editor reaches no more customers alone than the house allows, whichever way and however fast they go about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from nextwave_orchestrator.catalogue import Facts, Predicate
from unit.orchestrator.api.caller import NOW, Caller, calling
from unit.orchestrator.api.fake_store import FakeSession, FakeStore
from unit.orchestrator.decision_world import snapshot

FEW: dict[str, Any] = {"name": "n", "owner": "o", "rule": {"field": "traits.vip", "op": "exists"}}
MANY: dict[str, Any] = FEW | {"rule": {"field": "traits.vip", "op": "exists", "value": False}}
NOBODY_KNOWN = Facts(snapshot(), [], NOW)


@dataclass
class House:
    """A thousand and one customers, none of whom is known as a VIP."""

    call: Caller
    is_counted: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def size(self, matches: Predicate) -> int:
        self.is_counted.set()
        await self.may_go_on.wait()
        return 1_001 if matches(NOBODY_KNOWN) else 0

    async def put(self, role: str, path: str, body: Any) -> int:
        return (await self.call(role, "PUT", path, body)).status_code

    async def publish(self, role: str) -> int:
        return (await self.call(role, "POST", "/v1/campaigns/c:publish")).status_code


@pytest.fixture
async def house(store: FakeStore, tmp_path: Path) -> AsyncIterator[House]:
    async def size(matches: Predicate) -> int:
        return await given.size(matches)

    async with calling(store, tmp_path, size) as call:
        given = House(call)
        given.may_go_on.set()
        await given.put("editor", "/v1/templates/t", {"subject": "About you", "text": "Hello"})
        await given.put("editor", "/v1/segments/them", FEW)
        await given.put("editor", "/v1/campaigns/c", campaign("them"))
        yield given


def campaign(segment: str) -> dict[str, Any]:
    mix = {"segment": "*", "channels": [{"channel": "email", "template": "t"}]}
    return {
        "owner": "o",
        "purpose": "service",
        "goal": {"event": "order.placed", "within": "1d"},
        "entry": {"on": {"event": "page.viewed"}, "audience": {"segment": segment}},
        "waves": [{"key": "a", "window": "1d", "mixes": [mix]}],
    }


async def test_a_segment_is_counted_as_it_is_saved_although_no_catalogue_has_it_yet(house: House) -> None:
    assert await house.publish("editor") == 200
    await house.put("approver", "/v1/segments/them", MANY)
    assert await house.publish("editor") == 403
    assert await house.publish("approver") == 200


async def test_everybody_is_counted_too(house: House) -> None:
    await house.put("editor", "/v1/campaigns/c", campaign("*"))
    assert await house.publish("editor") == 403


@pytest.mark.parametrize("stopped", ["", ":pause", ":drain"])
async def test_an_editor_does_not_widen_the_audience_of_a_campaign_that_may_go_on(house: House, stopped: str) -> None:
    assert await house.publish("editor") == 200
    if stopped:
        await house.call("editor", "POST", "/v1/campaigns/c" + stopped)
    refused = await house.call("editor", "PUT", "/v1/segments/them", MANY)
    assert (refused.status_code, "an audience of about 1001 customers" in refused.json()["detail"]) == (403, True)
    assert (await house.call("viewer", "GET", "/v1/segments/them")).json()["rule"] == FEW["rule"]
    assert await house.put("approver", "/v1/segments/them", MANY) == 200
    assert await house.put("editor", "/v1/segments/them", MANY | {"name": "by another name"}) == 200
    assert await house.put("editor", "/v1/segments/them", FEW) == 200


async def test_what_no_campaign_reaches_is_widened_freely(house: House) -> None:
    assert await house.put("editor", "/v1/segments/them", MANY) == 200
    assert await house.put("editor", "/v1/segments/them", FEW) == 200
    await house.publish("editor")
    assert await house.put("editor", "/v1/segments/others", MANY) == 201
    await house.call("editor", "POST", "/v1/campaigns/c:end")
    assert await house.put("editor", "/v1/segments/them", MANY) == 200


async def test_a_segment_that_changes_while_it_is_counted_needs_an_approver(house: House) -> None:
    house.may_go_on.clear()
    publishing = asyncio.create_task(house.publish("editor"))
    await house.is_counted.wait()
    assert await house.put("editor", "/v1/segments/them", MANY) == 200
    house.may_go_on.set()
    assert await publishing == 403


async def test_a_campaign_published_while_its_segment_is_written_does_not_reach_uncounted_customers(
    house: House, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = store.changing

    @asynccontextmanager
    async def after_another() -> AsyncIterator[FakeSession]:
        monkeypatch.setattr(store, "changing", lock)
        assert await house.publish("editor") == 200
        async with lock() as session:
            yield session

    monkeypatch.setattr(store, "changing", after_another)
    assert await house.put("editor", "/v1/segments/them", MANY) == 403

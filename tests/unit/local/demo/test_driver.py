"""The driver: in order, by the clock, the same again when it is not known whether a door took it; only a 2xx counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import msgspec
import pytest
from nextwave_contracts.clock import ClockSetting
from nextwave_local.demo import driver as driving
from nextwave_local.demo.driver import Driver
from nextwave_local.demo.items import Item, call, event
from unit.local.demo.small_shop import BEGIN

KEYS = {"shop": "nww_shop", "call-centre": "nww_calls"}
ITEMS = [
    *(call(BEGIN + timedelta(minutes=number), f"row-{number}", {"type": "page", "userId": "u"}) for number in range(5)),
    event(BEGIN + timedelta(minutes=5), "call-centre", "call-1", "call.offered", {"identifiers": ["phone:+447700900001"]}),
]
Door = Callable[[httpx.Request], httpx.Response]


async def _played(door: Door, items: list[Item] = ITEMS, speed: float = 1e6) -> Driver:
    """Everything is due when it begins."""
    clock = ClockSetting(epoch_seconds=time.time(), origin=BEGIN - timedelta(hours=1), speed=speed)
    driver = Driver(items, clock, KEYS)
    async with httpx.AsyncClient(base_url="http://ingest", transport=httpx.MockTransport(door)) as client:
        await driver.play(client)
    return driver


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(driving, "TICK_SECONDS", 0.001)


async def test_calls_go_to_the_segment_door_and_events_to_the_cloudevents_door_each_with_its_key() -> None:
    seen: list[tuple[str, str, list[str]]] = []

    def door(request: httpx.Request) -> httpx.Response:
        posted = msgspec.json.decode(request.content)
        batch = posted["batch"] if isinstance(posted, dict) else posted
        seen.append((request.url.path, request.headers["content-type"], [one.get("messageId") or one["id"] for one in batch]))
        return httpx.Response(200)

    driver = await _played(door)
    rows = [name for path, _, names in seen if path == "/v1/batch" for name in names]
    assert rows == [f"row-{number}" for number in range(5)]
    assert ("/v1/touchpoints", "application/cloudevents-batch+json", ["call-1"]) in seen
    assert driver.posted.accepted == {item.name for item in ITEMS}
    assert driver.posted.acknowledged == len(ITEMS)


async def test_what_got_no_answer_or_a_5xx_or_429_is_posted_again_and_counts_once() -> None:
    answers: Iterator[httpx.Response | Exception] = iter([httpx.ConnectError("away"), httpx.Response(503), httpx.Response(429)])

    def door(_request: httpx.Request) -> httpx.Response:
        answer = next(answers, httpx.Response(200))
        if isinstance(answer, Exception):
            raise answer
        return answer

    driver = await _played(door, ITEMS[:5], speed=1e9)
    assert len(driver.posted.accepted) == driver.posted.acknowledged == 5
    assert driver.posted.retried == 3
    assert driver.posted.refused == 0


async def test_what_a_door_refuses_is_not_counted_as_accepted() -> None:
    driver = await _played(lambda _: httpx.Response(401))
    assert driver.posted.accepted == set()
    assert driver.posted.refused == len(ITEMS)
    assert driver.posted.retried == 0


async def test_nothing_is_posted_before_its_instant() -> None:
    begun = time.time()
    at: list[float] = []

    def door(_request: httpx.Request) -> httpx.Response:
        at.append(time.time() - begun)
        return httpx.Response(200)

    await _played(door, ITEMS[:1], speed=3600.0 / 0.1)
    assert at[0] >= 0.1

"""Calls leave as agents can take them and as often as one may be called, whichever way; on the real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from call_floor import PACE, bearer, call, capacity, desk_of, open_door, pull, report
from channel_contacts import DAY, HOUR, NOON
from channels_place import Place
from nextwave_channels import claiming
from nextwave_channels.call_lists import table
from nextwave_channels.store import Selection
from nextwave_contracts.actions import Span


@pytest.fixture
async def client(place: Place, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(place, tmp_path) as opened:
        yield opened


async def test_calls_are_pulled_only_from_lists_that_leave_so(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a", list="spoken"), call("b", list="pushed"), call("c"))
    for name in ("spoken", "pushed"):
        refused = await client.post(f"/v1/call-lists/{name}:pull", json={}, headers=bearer("agent"))
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:nextwave:problem:not-pulled")
    for way, its in (("twilio", "a"), ("dialler", "b")):
        desk = desk_of(place, way)  # type: ignore[arg-type]
        found = [await claiming.claim(desk, Selection("call"), 10, PACE) for _ in range(2)]
        assert [[one.contact.action_id for one in claimed or []] for claimed in found] == [[its], []]


async def test_calls_leave_as_agents_can_take_them_and_half_of_them_release_half(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(*(call(f"c{n:02}", value=float(n)) for n in range(30)))
    assert (await capacity(client, 4))["released"] == 4, "one for each agent, until something is known"
    assert [one["entry_id"] for one in await pull(client)] == ["c29", "c28", "c27", "c26"]
    assert await pull(client) == []
    assert (await capacity(client, 2))["released"] == 0
    await report(client, "c29", "no_answer")
    await report(client, "c28", "no_answer")
    await report(client, "c27", "connected")
    assert await pull(client) == [], "one talks, one still rings: two agents are not free"
    assert [one["entry_id"] for one in await pull(client, name="winback")] == []
    await report(client, "c26", "no_answer")
    assert [one["entry_id"] for one in await pull(client)] == ["c25"]
    assert (await capacity(client, 0))["lines"] == 0
    await report(client, "c25", "busy")
    assert await pull(client) == []
    assert (await client.delete("/v1/capacity/renewals", headers=bearer("operator"))).status_code == 204
    assert len(await pull(client, 30)) == 25


async def test_what_is_reported_teaches_the_release(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(*(call(f"c{n}") for n in range(40)))
    await pull(client, 40)
    for n in range(40):
        result = "abandoned" if n == 0 else "answered" if n < 5 else "no_answer"
        await report(client, f"c{n}", result, **({"talk_seconds": 60} if result == "answered" else {}))
    assert (await capacity(client, 10))["learned"]["calls"] == 0, "too fresh: those that are picked up are heard of first"
    place.clock.instant = NOON + timedelta(minutes=1)
    now = (await client.get("/v1/capacity/renewals", headers=bearer("viewer"))).json()
    assert now["learned"].items() >= {"calls": 40, "picked_up": 5, "abandoned": 1}.items()
    assert 0.1 < now["learned"]["answer_rate"] < 0.3
    assert now["learned"]["handling_seconds"] == pytest.approx((20 * 180 + 4 * 60) / 24)
    assert now["learned"]["abandon_target"] < 0.03
    assert (now["talking"], now["ringing"]) == (0, 0)
    assert now["released"] > 10


async def test_the_agents_of_a_list_limit_every_way_and_all_replicas_at_once(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(*(call(f"s{n}", list="spoken") for n in range(20)), *(call(f"t{n}", list="other") for n in range(3)))
    await capacity(client, 5, "spoken")
    claims = await asyncio.gather(*(claiming.claim(desk_of(place, "twilio"), Selection("call"), 4, PACE) for _ in range(6)))
    assert len([one for claimed in claims for one in claimed or []]) == 5
    assert len(await pull(client, name="other")) == 3


async def test_a_number_is_called_so_often_a_day_over_all_lists_and_a_call_not_made_does_not_count(
    place: Place, client: httpx.AsyncClient
) -> None:
    same = {"address_subject": "hash-house", "subjects": ("hash-house",)}
    await place.put(*(call(f"c{n}", **same, list=name, campaign=name) for n, name in enumerate(("renewals", "winback", "care", "more"))))
    assert len(await pull(client)) == 1
    await report(client, "c0", "not_called")
    assert [len(await pull(client, name=name)) for name in ("winback", "care", "more")] == [1, 1, 1]
    await place.ask("update deliveries set held_until = '-infinity' where action_id = 'c0'")
    assert await pull(client) == []
    assert await place.ask("select state, due_at from deliveries where action_id = 'c0'") == [("due", NOON + DAY)]


async def test_calls_begun_long_ago_are_forgotten(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("old"))
    await pull(client)
    place.clock.instant = NOON + table.KEPT + timedelta(minutes=1)
    later = place.clock.instant
    await place.put(call("new", permitted=(Span(start=later - HOUR, end=later + HOUR),), not_after=later + DAY))
    await pull(client)
    assert await place.ask("select action_id from call_attempts") == [("new",)]

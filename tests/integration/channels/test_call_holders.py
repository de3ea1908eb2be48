"""Who may say what came of a call: whoever came for it, on its own list; a stop counts whoever says it. On the real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from call_floor import bearer, call, desk_of, open_door, pull, report, say
from channels_place import PATIENT_SECONDS, Place, Recorder
from nextwave_channels.dispatcher import Bell, Dispatcher
from nextwave_channels.outlets import Outlet, Outlets
from nextwave_channels.pacing import Pace
from nextwave_contracts.actions import Contact


@pytest.fixture
async def client(place: Place, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(place, tmp_path) as opened:
        yield opened


def pointers(refused: httpx.Response) -> list[str]:
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:nextwave:problem:not-in-your-hands"), refused.text
    return [one["pointer"] for one in refused.json()["errors"]]


async def extend(client: httpx.AsyncClient, who: str, name: str, entry_id: str) -> httpx.Response:
    body = {"entries": [{"entry_id": entry_id, "attempt": 1}]}
    return await client.post(f"/v1/call-lists/{name}:extend", json=body, headers=bearer(who))


async def test_nobody_can_say_of_a_call_that_the_provider_makes_that_it_was_not_made(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a", list="spoken"))
    answered = asyncio.Event()

    async def before(_contact: Contact) -> None:
        await answered.wait()

    adapter = Recorder(before=before)
    outlet = Outlet(provider="twilio", adapter=adapter, pace=Pace(concurrency=8, fresh_seconds=PATIENT_SECONDS))
    dispatcher = Dispatcher(Outlets("call", [outlet], place.clock, place.steady), desk_of(place, "twilio"), Bell())
    (claimed,) = await dispatcher.claim(5) or []
    sending = asyncio.create_task(dispatcher.send(claimed))
    refused = await say(client, "agent", {"entry_id": "a", "result": "not_called"}, name="spoken")
    assert pointers(refused) == ["/body/reports/0/entry_id"]
    assert pointers(await extend(client, "agent", "spoken", "a")) == ["/body/entries/0/entry_id"]
    await place.ask("update deliveries set held_until = '-infinity'")
    assert not await dispatcher.claim(5)
    answered.set()
    await sending
    assert (adapter.sent, await place.states()) == (["a"], {"a": "accepted"})


async def test_only_who_came_for_a_call_reports_and_keeps_it(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a"), call("b"))
    await pull(client)
    mixed = await say(client, "colleague", {"entry_id": "a", "result": "not_called"}, {"entry_id": "b", "result": "busy"})
    assert pointers(mixed) == ["/body/reports/0/entry_id", "/body/reports/1/entry_id"]
    assert pointers(await extend(client, "colleague", "renewals", "a")) == ["/body/entries/0/entry_id"]
    assert await place.states() == {"a": "sending", "b": "sending"}
    (kept,) = (await extend(client, "agent", "renewals", "a")).json()["kept"]
    assert kept["number"] == "+4915112345678"
    assert (await report(client, "a", "not_called"))["state"] == "due"
    await place.ask("update deliveries set held_until = '-infinity'")
    taken = await client.post("/v1/call-lists/renewals:pull", json={}, headers=bearer("colleague"))
    assert [(one["entry_id"], one["attempt"]) for one in taken.json()["entries"]] == [("a", 2)]
    assert pointers(await say(client, "agent", {"entry_id": "a", "attempt": 2, "result": "busy"})) == ["/body/reports/0/entry_id"]
    assert (await say(client, "colleague", {"entry_id": "a", "attempt": 2, "result": "busy"})).status_code == 200


async def test_what_a_dialler_was_given_is_reported_by_whoever_dials_and_its_number_stays_closed(
    place: Place, client: httpx.AsyncClient
) -> None:
    await place.put(call("a", list="pushed"))
    await place.ask("update deliveries set state = 'sending', attempt = 1, provider = 'dialler', held_until = now() + interval '1 hour'")
    (kept,) = (await extend(client, "agent", "pushed", "a")).json()["kept"]
    assert kept["number"] == "+4**********78"
    reported = await say(client, "agent", {"entry_id": "a", "result": "answered"}, name="pushed")
    assert (reported.status_code, await place.states()) == (200, {"a": "answered"})


async def test_of_a_request_with_a_report_to_the_wrong_list_the_others_and_every_stop_count(
    place: Place, client: httpx.AsyncClient
) -> None:
    await place.put(call("a"), call("b"), call("later", subjects=("hash-b",)))
    await pull(client, 2)
    assert pointers(
        await say(client, "agent", {"entry_id": "b", "result": "refused", "stop": True}, {"entry_id": "nobody", "result": "busy"}, name="x")
    ) == ["/body/reports/0/entry_id", "/body/reports/1/entry_id"]
    assert await place.states() == {"a": "sending", "b": "sending", "later": "withdrawn"}
    half = await say(client, "agent", {"entry_id": "a", "result": "busy"}, {"entry_id": "nobody", "result": "busy", "stop": True})
    assert (pointers(half), (await place.states())["a"]) == (["/body/reports/1/entry_id"], "busy")

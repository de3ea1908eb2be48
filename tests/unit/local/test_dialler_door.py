"""The dialler: lists, calls of its own placing by priority, outcomes; what was taken back is never called."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from nextwave_local.simulator.dialler_door import Dialler
from nextwave_local.simulator.world import World
from unit.local.simulated import answers, planned, rows

LIST = "/dialler/v1/lists/renewals"
HEARD_AT = "http://channels/v1/callbacks/dialler"


async def push(client: httpx.AsyncClient, name: str = "e1", **changes: Any) -> httpx.Response:
    entry = {"to": "+14155550111", "reference": f"act-{name}", "script": "renew", "callback_url": HEARD_AT, **changes}
    return await client.put(f"{LIST}/entries/{name}", json=entry)


@pytest.fixture(autouse=True)
async def quick(client: httpx.AsyncClient) -> None:
    """Shows the dialler's token from here on, and lets it call at once."""
    client.auth = httpx.Auth()
    client.headers["authorization"] = "Bearer token"
    assert (await client.put("/dialler", json={"after_seconds": 0, "per_turn": 1})).status_code == 200


def called(world: World) -> list[str]:
    return [row["action_id"] for row in rows(world) if row["answer"] == "called"]


async def test_an_entry_is_taken_once_and_called_in_the_dialers_own_time(client: httpx.AsyncClient, world: World, dialler: Dialler) -> None:
    assert (await push(client)).status_code == 201
    assert called(world) == []
    dialler.turn()
    dialler.turn()
    assert answers(world) == [("accepted", True), ("called", False)]
    assert rows(world)[0].items() >= {"provider": "dialler", "kind": "call", "action_id": "act-e1", "price": "0.0900"}.items()


async def test_the_most_urgent_is_called_first(client: httpx.AsyncClient, world: World, dialler: Dialler) -> None:
    for name, priority in (("low", 1), ("high", 9), ("middle", 5)):
        await push(client, name, priority=priority)
    for _ in range(3):
        dialler.turn()
    assert called(world) == ["act-high", "act-middle", "act-low"]


async def test_an_update_changes_the_entry_and_is_no_second_dispatch(client: httpx.AsyncClient, world: World, dialler: Dialler) -> None:
    await push(client)
    again = await push(client, to="+14155550122", priority=5)
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    assert answers(world) == [("accepted", True), ("updated", False)]
    dialler.turn()
    assert rows(world)[-1]["to"] == "+14155550122"


async def test_what_is_retracted_is_never_called(client: httpx.AsyncClient, world: World, dialler: Dialler) -> None:
    await push(client)
    for _ in range(2):
        gone = await client.delete(f"{LIST}/entries/e1")
        assert (gone.status_code, gone.json()["state"]) == (200, "retracted")
    dialler.turn()
    assert called(world) == []
    assert (await push(client)).status_code == 409
    assert answers(world) == [("accepted", True), ("retracted", False), ("repeated", False)]
    assert (await client.get(LIST)).json() == {"entries": []}


async def test_an_action_retracted_twice_and_pushed_twice_is_two_dispatches(client: httpx.AsyncClient, world: World) -> None:
    await push(client)
    for _ in range(2):
        await client.delete(f"{LIST}/entries/e1")
    for name in ("e2", "e3"):
        assert (await push(client, name, reference="act-e1")).status_code == 201
    assert world.ledger.totals()["twice"] == 1


async def test_a_retraction_that_the_dialler_did_not_take_leaves_the_entry(
    client: httpx.AsyncClient, world: World, dialler: Dialler
) -> None:
    await push(client)
    await client.put("/faults", json={"faults": [{"kind": "unavailable", "provider": "dialler"}]})
    assert (await client.delete(f"{LIST}/entries/e1")).status_code == 503
    dialler.turn()
    assert called(world) == ["act-e1"]


async def test_who_was_called_can_no_longer_be_retracted_or_changed(client: httpx.AsyncClient, dialler: Dialler) -> None:
    await push(client)
    dialler.turn()
    assert (await client.delete(f"{LIST}/entries/e1")).status_code == 409
    assert (await push(client)).json()["error"]["code"] == "already_called"


async def test_outcomes_come_as_webhooks_and_the_call_goes_as_people_behave(
    client: httpx.AsyncClient, world: World, dialler: Dialler
) -> None:
    await client.put("/behaviour", json={"channels": {"call": {"answer": 1, "accept": 1}}})
    await push(client)
    dialler.turn()
    told = [json.loads(errand.body) for errand in planned(world) if errand.url == HEARD_AT]
    assert [one["type"] for one in told] == ["call.started", "call.answered", "call.ended"]
    assert told[-1]["data"].items() >= {"entry_id": "renewals/e1", "reference": "act-e1", "outcome": "answered"}.items()
    assert [errand.kind for errand in planned(world) if errand.touchpoint] == ["wrap_up"]


async def test_who_does_not_answer_is_reported_so(client: httpx.AsyncClient, world: World, dialler: Dialler) -> None:
    await push(client)
    dialler.turn()
    assert json.loads(planned(world)[-1].body)["data"]["outcome"] == "no_answer"


async def test_nobody_is_called_too_early_too_late_or_in_the_agents_break(
    client: httpx.AsyncClient, world: World, dialler: Dialler
) -> None:
    await push(client, "early", not_before="2999-01-01T00:00:00Z")
    await push(client, "late", not_after="2020-01-01T00:00:00Z")
    dialler.turn()
    assert called(world) == []
    assert [json.loads(errand.body)["data"]["outcome"] for errand in planned(world)] == ["expired"]
    await push(client, "e1")
    await client.put("/dialler", json={"calling": False, "after_seconds": 0})
    dialler.turn()
    assert called(world) == []


async def test_entries_and_paces_that_make_no_sense_are_refused_by_field(client: httpx.AsyncClient, world: World) -> None:
    assert "$.to" in (await push(client, to="0170")).json()["error"]["message"]
    pace = await client.put("/dialler", json={"per_turn": 0})
    assert (pace.status_code, pace.json()["errors"][0]["pointer"]) == (422, "/per_turn")
    client.headers["authorization"] = "Bearer wrong"
    assert (await push(client)).status_code == 401
    assert rows(world) == []

"""The second SMS provider: its requests, refusals, prices, look-ups and signed callbacks."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import msgspec
import pytest
from nextwave_channels.callbacks.standard import Event, of_event
from nextwave_local.simulator.world import World
from standardwebhooks.webhooks import Webhook
from unit.local.simulated import DOORS, answers, planned, rows

PATH = "/sms/v1/messages"
WANTED = {
    "to": "+14155550111",
    "from": "Nextwave",
    "text": "hi",
    "reference": "act-1",
    "callback_url": "http://channels/v1/callbacks/sms",
}


@pytest.fixture(autouse=True)
def with_token(client: httpx.AsyncClient) -> None:
    client.auth = httpx.Auth()
    client.headers["authorization"] = "Bearer token"


async def send(client: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await client.post(PATH, json={**WANTED, **changes})


async def test_a_text_is_taken_with_its_price_and_stands_in_the_ledger_under_its_reference(client: httpx.AsyncClient, world: World) -> None:
    answer = await send(client)
    assert answer.status_code == 202
    assert answer.json().items() >= {"status": "queued", "segments": 1, "price": {"amount": "0.0650", "currency": "EUR"}}.items()
    (row,) = rows(world)
    assert row.items() >= {"action_id": "act-1", "provider": "httpsms", "kind": "sms", "accepted": True, "price": "0.0650"}.items()


async def test_another_price_from_today_on_stands_in_answer_and_ledger(client: httpx.AsyncClient, world: World) -> None:
    await client.put("/faults", json={"faults": [{"kind": "price_changes", "provider": "httpsms", "price": "0.0810"}]})
    assert (await send(client)).json()["price"]["amount"] == "0.0810"
    assert rows(world)[0]["price"] == "0.0810"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "refuse"}, 422, "invalid_recipient"),
        ({"kind": "refuse", "temporary": True}, 503, "route_down"),
        ({"kind": "refuse", "status": 403, "code": "blocked"}, 403, "blocked"),
        ({"kind": "throttle"}, 429, "too_many_requests"),
        ({"kind": "unavailable"}, 503, "unavailable"),
    ],
)
async def test_it_refuses_in_its_own_words(client: httpx.AsyncClient, world: World, fault: dict[str, Any], status: int, code: str) -> None:
    await client.put("/faults", json={"faults": [{"provider": "httpsms", **fault}]})
    answer = await send(client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answers(world) == [(fault["kind"], False)]


async def test_its_callbacks_are_signed_as_the_specifications_own_library_expects(client: httpx.AsyncClient, world: World) -> None:
    await send(client)
    errand = planned(world)[-1]
    assert errand.url == WANTED["callback_url"]
    assert errand.stamp is not None
    told = Webhook(DOORS.mail_secret).verify(errand.body, dict(errand.stamp(time.time())))
    assert (told["type"], told["data"]["action_id"]) == ("delivery.delivered", "act-1")


@pytest.mark.parametrize(("bounces", "kinds"), [(0, ["accepted", "delivered"]), (1, ["accepted", "bounced"])])
async def test_channels_understand_what_it_tells(client: httpx.AsyncClient, world: World, bounces: float, kinds: list[str]) -> None:
    await client.put("/behaviour", json={"channels": {"sms": {"bounce": bounces}}})
    taken = (await send(client)).json()
    read = [of_event(msgspec.json.decode(errand.body, type=Event), "m") for errand in planned(world)]
    assert [(one.kind, one.action_id, one.provider_id) for one in read if one] == [(kind, "act-1", taken["id"]) for kind in kinds]


async def test_what_it_took_can_be_looked_up_by_its_id_and_by_our_reference(client: httpx.AsyncClient) -> None:
    taken = (await send(client)).json()
    one = await client.get(f"{PATH}/{taken['id']}")
    many = await client.get(f"{PATH}?reference=act-1")
    assert one.json()["status"] == "queued"
    assert [message["id"] for message in many.json()["messages"]] == [taken["id"]]
    other = await client.get(f"{PATH}?reference=act-2")
    assert other.json() == {"messages": []}


async def test_a_wrong_token_and_a_wrong_number_are_refused_and_stand_nowhere(client: httpx.AsyncClient, world: World) -> None:
    assert (await client.post(PATH, json=WANTED, headers={"authorization": "Bearer other"})).status_code == 401
    wrong = await send(client, to="0170")
    assert wrong.status_code == 400
    assert "$.to" in json.loads(wrong.content)["error"]["message"]
    assert rows(world) == []

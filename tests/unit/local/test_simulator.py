"""The simulator as a caller sees it: answers, the ledger behind them, what follows; over ASGI without sockets."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from urllib.parse import parse_qsl

import httpx
import pytest
from nextwave_local.simulator.mail_door import read
from nextwave_local.simulator.world import World
from twilio.request_validator import RequestValidator
from unit.local.simulated import planned

MESSAGES = "/2010-04-01/Accounts/AC1/Messages.json"
FORM = {"To": "+14155550111", "From": "+14155550100", "Body": "hi", "StatusCallback": "http://channels/v1/callbacks/twilio?action=act-1"}


async def _ledger(client: httpx.AsyncClient) -> list[dict[str, object]]:
    return [json.loads(line) for line in (await client.get("/ledger")).text.splitlines()]


async def test_a_text_is_taken_and_stands_in_the_ledger_under_its_action(client: httpx.AsyncClient) -> None:
    answer = await client.post(MESSAGES, data=FORM)
    assert answer.status_code == 201
    assert answer.json()["status"] == "queued"
    (entry,) = await _ledger(client)
    assert {name: entry[name] for name in ("action_id", "provider", "kind", "accepted")} == {
        "action_id": "act-1",
        "provider": "twilio",
        "kind": "sms",
        "accepted": True,
    }


async def test_a_text_with_the_wrong_token_is_refused_and_stands_nowhere(client: httpx.AsyncClient) -> None:
    answer = await client.post(MESSAGES, data=FORM, auth=("AC1", "wrong"))
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    assert await _ledger(client) == []


@pytest.mark.parametrize(
    ("fault", "status", "accepted"),
    [
        ({"kind": "refuse", "status": 400, "code": 21610}, 400, False),
        ({"kind": "refuse", "temporary": True}, 429, False),
        ({"kind": "throttle"}, 429, False),
        ({"kind": "unavailable", "status": 500}, 500, False),
        ({"kind": "unavailable"}, 503, False),
        ({"kind": "slow_first_byte", "seconds": 0.01}, 201, True),
        ({"kind": "slow_body", "seconds": 0.01}, 201, True),
        ({"kind": "wrong_content_type"}, 201, True),
    ],
)
async def test_the_menu_decides_the_answer_and_the_ledger_says_whether_it_was_taken(
    client: httpx.AsyncClient, fault: dict[str, object], status: int, accepted: bool
) -> None:
    await client.put("/faults", json={"faults": [fault]})
    answer = await client.post(MESSAGES, data=FORM)
    assert answer.status_code == status
    assert [entry["accepted"] for entry in await _ledger(client)] == [accepted]


async def test_retry_after_comes_in_seconds_or_as_a_date(client: httpx.AsyncClient) -> None:
    await client.put("/faults", json={"faults": [{"kind": "throttle", "seconds": 7}]})
    assert (await client.post(MESSAGES, data=FORM)).headers["retry-after"] == "7"
    await client.put("/faults", json={"faults": [{"kind": "throttle", "as_date": True}]})
    assert (await client.post(MESSAGES, data=FORM)).headers["retry-after"].endswith("GMT")


async def test_a_truncated_answer_is_no_json_although_the_text_was_taken(client: httpx.AsyncClient) -> None:
    await client.put("/faults", json={"faults": [{"kind": "truncated_json"}]})
    answer = await client.post(MESSAGES, data=FORM)
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert (await _ledger(client))[0]["accepted"] is True


@pytest.mark.parametrize(
    ("faults", "waiting"),
    [([], 2), (["callback_lost"], 0), (["callback_duplicated"], 4), (["callback_lost", "stop_after_accept"], 1)],
)
async def test_what_follows_a_text_is_what_the_menu_leaves_of_it(client: httpx.AsyncClient, faults: list[str], waiting: int) -> None:
    await client.put("/faults", json={"faults": [{"kind": kind} for kind in faults]})
    await client.post(MESSAGES, data=FORM)
    assert (await client.get("/statistics")).json()["waiting"] == waiting


async def test_a_refused_text_has_no_consequences(client: httpx.AsyncClient) -> None:
    await client.put("/faults", json={"faults": [{"kind": "refuse"}]})
    await client.post(MESSAGES, data=FORM)
    assert (await client.get("/statistics")).json() == {"errands": {}, "touchpoints": 0, "waiting": 0, "accepted": {"twice": 0}}


async def test_faults_and_behaviour_that_make_no_sense_are_refused_and_change_nothing(client: httpx.AsyncClient) -> None:
    await client.put("/behaviour", json={"seed": 5, "channels": {"sms": {"stop": 1.0}}})
    assert (await client.put("/behaviour", json={"channels": {"fax": {}}})).status_code == 422
    assert (await client.put("/faults", json={"faults": [{"kind": "explode"}]})).status_code == 422
    assert (await client.get("/behaviour")).json()["seed"] == 5


@pytest.mark.parametrize(
    ("wrong", "pointer", "fix"),
    [
        ({"kind": "explode"}, "/faults/1/kind", "accept_then_reset"),
        ({"kind": "refuse", "provider": "fax"}, "/faults/1/provider", "httpsms"),
        ({"kind": "refuse", "share": 2}, "/faults/1/share", "<= 1"),
        ({"kind": "refuse", "status": 200}, "/faults/1", "300 to 599"),
        ({"kind": "refuse", "sharing": 1}, "/faults/1", "leave it out"),
        ({"kind": "stop_after_accept", "provider": "smtp"}, "/faults/1", "one of sms"),
        ({"kind": "callback_lost", "provider": "push"}, "/faults/1", "one of call, email, sms"),
        ({"kind": "callback_lost", "key": "x"}, "/faults/1", "leave it out"),
        ({"kind": "callback_wrong_key", "key": "whsec_x"}, "/faults/1", "base64"),
        ({"kind": "price_changes", "price": "a lot"}, "/faults/1/price", "regex"),
        ({"kind": "callback_duplicated", "times": 1}, "/faults/1/times", ">= 2"),
    ],
)
async def test_a_wrong_fault_is_refused_with_its_place_and_the_way_out(
    client: httpx.AsyncClient, wrong: dict[str, object], pointer: str, fix: str
) -> None:
    answer = await client.put("/faults", json={"faults": [{"kind": "refuse"}, wrong]})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert fix in error["detail"]


async def test_what_is_no_json_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.put("/faults", content=b"{")).status_code == 400


async def test_a_text_can_be_looked_up_while_its_callbacks_are_lost(client: httpx.AsyncClient) -> None:
    await client.put("/faults", json={"faults": [{"kind": "callback_lost"}, {"kind": "price_changes", "price": "0.0100"}]})
    sid = (await client.post(MESSAGES, data=FORM)).json()["sid"]
    one = (await client.get(MESSAGES.replace(".json", f"/{sid}.json"))).json()
    assert {name: one[name] for name in ("sid", "status", "price", "price_unit")} == {
        "sid": sid,
        "status": "queued",
        "price": "-0.0100",
        "price_unit": "USD",
    }
    assert [m["sid"] for m in (await client.get(MESSAGES, params={"To": FORM["To"]})).json()["messages"]] == [sid]
    assert (await client.get(MESSAGES, params={"To": "+14155550199"})).json() == {"messages": []}
    assert (await client.get(MESSAGES.replace("Messages.json", f"Calls/{sid}.json"))).status_code == 404


async def test_a_text_stands_later_where_its_callbacks_said(client: httpx.AsyncClient, world: World) -> None:
    sid = (await client.post(MESSAGES, data=FORM)).json()["sid"]
    record = world.records.of("twilio", sid)
    assert record is not None
    assert [record.status(record.taken_at + timedelta(seconds=second)) for second in (0, 2, 9)] == ["queued", "sent", "delivered"]


async def test_a_callback_signed_with_the_old_key_holds_only_for_that_key(client: httpx.AsyncClient, world: World) -> None:
    await client.put("/faults", json={"faults": [{"kind": "callback_wrong_key", "key": "the-old-token"}]})
    await client.post(MESSAGES, data=FORM)
    (first, *_) = planned(world)
    form = dict(parse_qsl(first.body.decode(), keep_blank_values=True))
    valid = [RequestValidator(token).validate(first.url, form, first.headers["x-twilio-signature"]) for token in ("the-old-token", "token")]
    assert valid == [True, False]


async def test_callbacks_for_an_unknown_id_name_neither_our_action_nor_the_providers_id(client: httpx.AsyncClient, world: World) -> None:
    await client.put("/faults", json={"faults": [{"kind": "callback_unknown_id"}]})
    sid = (await client.post(MESSAGES, data=FORM)).json()["sid"]
    for errand in planned(world):
        assert "action=unknown-act-1" in errand.url
        assert sid not in errand.body.decode()


async def test_callbacks_come_late_in_the_wrong_order_and_again_as_told(client: httpx.AsyncClient, world: World) -> None:
    kinds = ({"kind": "callback_reordered"}, {"kind": "callback_late", "hours": 48}, {"kind": "callback_duplicated", "times": 3})
    await client.put("/faults", json={"faults": kinds})
    await client.post(MESSAGES, data=FORM)
    statuses = [dict(parse_qsl(errand.body.decode()))["MessageStatus"] for errand in planned(world)]
    assert statuses == ["delivered"] * 3 + ["sent"] * 3
    assert min(world.errands._waiting)[0] > time.time() + 47.9 * 3600


def test_a_mail_is_read_for_its_action_and_our_links() -> None:
    raw = (
        b"X-Nextwave-Action: act-2\r\nTo: ann@example.com\r\nList-Unsubscribe: <http://ingest/u/tok-u>\r\n"
        b'Content-Type: text/html; charset=utf-8\r\n\r\n<a href="http://ingest/r/tok-r">x</a><img src="http://ingest/o/tok-o">\r\n'
    )
    message = read(raw, "ann@example.com", "http://ingest")
    assert message.action_id == "act-2"
    assert message.links == {"u": "http://ingest/u/tok-u", "r": "http://ingest/r/tok-r", "o": "http://ingest/o/tok-o"}

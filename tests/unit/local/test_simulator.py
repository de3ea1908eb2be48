"""The simulator as a caller sees it: answers, the ledger behind them, what follows; over ASGI without sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from nextwave_contracts.clock import ClockSetting
from nextwave_local.simulator.app import application
from nextwave_local.simulator.dialler_door import Dialler
from nextwave_local.simulator.errands import Errands
from nextwave_local.simulator.ledger import Ledger
from nextwave_local.simulator.mail_door import read
from nextwave_local.simulator.message import Doors
from nextwave_local.simulator.world import World

DOORS = Doors(
    ingest_url="http://ingest",
    channels_url="http://channels",
    write_key="wk",
    twilio_account="AC1",
    twilio_token="token",
    mail_secret="whsec_AAAA",
)
MESSAGES = "/2010-04-01/Accounts/AC1/Messages.json"
FORM = {"To": "+14155550111", "From": "+14155550100", "Body": "hi", "StatusCallback": "http://channels/v1/callbacks/twilio?action=act-1"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = ClockSetting()
    return World(DOORS, Ledger(tmp_path / "ledger.jsonl"), Errands(clock, httpx.AsyncClient()), clock)


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(world, Dialler(world)))
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator", auth=("AC1", "token")) as client:
        yield client


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


def test_a_mail_is_read_for_its_action_and_our_links() -> None:
    raw = (
        b"X-Nextwave-Action: act-2\r\nTo: ann@example.com\r\nList-Unsubscribe: <http://ingest/u/tok-u>\r\n"
        b'Content-Type: text/html; charset=utf-8\r\n\r\n<a href="http://ingest/r/tok-r">x</a><img src="http://ingest/o/tok-o">\r\n'
    )
    message = read(raw, "ann@example.com", "http://ingest")
    assert message.action_id == "act-2"
    assert message.links == {"u": "http://ingest/u/tok-u", "r": "http://ingest/r/tok-r", "o": "http://ingest/o/tok-o"}

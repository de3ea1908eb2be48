"""Callbacks and the API over HTTP, on the real PostgreSQL."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from channel_contacts import NOON, a_contact
from channels_place import PARTITIONS, Place, Recorder
from fastapi import FastAPI
from nextwave_channels import api
from nextwave_channels.answers import Uncertain
from nextwave_channels.callbacks import routes
from nextwave_channels.callbacks.inbox import Inbox
from nextwave_channels.callbacks.standard import Standard
from nextwave_channels.callbacks.twilio import Twilio
from nextwave_channels.office import Office
from nextwave_channels.signatures import standard_signature
from nextwave_contracts.identifiers import blind
from nextwave_contracts.wire import encode
from nextwave_runtime import problem
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret
from twilio.request_validator import RequestValidator

URL = "https://channels.example"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = b"i" * 32


@pytest.fixture
async def client(place: Place, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    keys = tuple(Key(name=role, kind="api", hash=hash_secret(role, "p"), roles=(role,)) for role in ("viewer", "operator", "privacy"))
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=keys)))
    app = FastAPI()
    problem.install(app)
    inbox = Inbox(database=place.database, clock=place.clock, partitions=PARTITIONS, identifier_key=KEY)
    app.include_router(routes.router(inbox, {"twilio": Twilio(("token",)), "mail": Standard((SECRET,))}, URL))
    keyring = Keyring(tmp_path / "keys.json")
    office = Office(database=place.database, clock=place.clock, keyring=keyring, identifier_key=KEY, partitions=PARTITIONS)
    app.include_router(api.router(office))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as opened:
        yield opened


def bearer(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {role}"}


async def sent(place: Place, *actions: str, channel: str = "email") -> None:
    await place.put(*(a_contact(action_id=name, channel=channel) for name in actions))
    dispatcher = place.dispatcher(Recorder(), channel=channel)
    for delivery in await dispatcher.claim(len(actions)) or []:
        await dispatcher.send(delivery)


async def twilio(client: httpx.AsyncClient, action: str, token: str = "token", **form: str) -> int:
    path = f"/v1/callbacks/twilio?action={action}"
    signature = RequestValidator(token).compute_signature(URL + path, form)
    headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
    return (await client.post(path, content=urlencode(form), headers=headers)).status_code


async def mail(client: httpx.AsyncClient, event: object, name: str = "msg_1", secret: str = SECRET) -> httpx.Response:
    body, stamp = json.dumps(event).encode(), str(int(time.time()))
    signature = standard_signature(secret, name, stamp, body)
    headers = {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
    return await client.post("/v1/callbacks/mail", content=body, headers=headers)


async def test_status_callbacks_twice_and_out_of_order_end_in_one_outcome_each(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, "a1", channel="sms")
    for status in ("delivered", "sent", "delivered", "queued"):
        assert await twilio(client, "a1", MessageSid="SM1", MessageStatus=status) == 204
    assert await place.states() == {"a1": "delivered"}
    assert sorted(o.kind for o in await place.outcomes()) == ["accepted", "delivered"]


async def test_a_wrong_signature_is_refused_and_changes_nothing(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, "a1")
    assert await twilio(client, "a1", token="stolen", MessageSid="SM1", MessageStatus="delivered") == 403
    answer = await mail(client, {"type": "mail.bounced", "data": {"action_id": "a1"}}, secret="whsec_" + "A" * 32)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:nextwave:problem:wrong-signature")
    assert await place.states() == {"a1": "accepted"}


async def test_an_unknown_action_or_status_is_let_go(client: httpx.AsyncClient) -> None:
    assert await twilio(client, "nobody", MessageSid="SM1", MessageStatus="delivered") == 204
    assert await twilio(client, "nobody", MessageSid="SM1", MessageStatus="<script>") == 204


async def test_a_callback_that_is_no_form_or_no_json_is_a_problem(client: httpx.AsyncClient) -> None:
    assert (await mail(client, ["no"])).status_code == 400
    assert (await client.post("/v1/callbacks/twilio?action=a", content=b"\xff=1")).status_code == 400
    assert (await client.post("/v1/callbacks/twilio?action=a", content=b"a=1&" * 30_000)).status_code == 413


async def test_a_spam_complaint_refuses_suppresses_and_withdraws_what_is_queued(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, "a1")
    await place.put(a_contact(action_id="a2"))
    event = {"type": "mail.complained", "timestamp": "2026-03-02T12:00:00Z", "data": {"action_id": "a1", "detail": "spam"}}
    assert [(await mail(client, event)).status_code for _ in range(2)] == [204, 204]
    assert await place.states() == {"a1": "refused", "a2": "withdrawn"}
    assert sorted((o.action_id, o.kind) for o in await place.outcomes()) == [("a1", "accepted"), ("a1", "refused"), ("a2", "withdrawn")]


async def test_a_callback_reconciles_an_unknown_delivery(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(a_contact(action_id="a1", channel="call"))
    dispatcher = place.dispatcher(Recorder(answer=lambda _: Uncertain(detail="lost")), channel="call")
    for delivery in await dispatcher.claim(1) or []:
        await dispatcher.send(delivery)
    assert await twilio(client, "a1", CallSid="CA1", CallStatus="completed", AnsweredBy="human") == 204
    assert await place.states() == {"a1": "answered"}


async def test_deliveries_are_listed_in_pages_without_addresses(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(*(a_contact(action_id=f"a{n}", customer_id=f"c{n % 2}") for n in range(5)))
    found, cursor = [], None
    while True:
        query: dict[str, str] = {"customer": "c0", "limit": "2", **({"cursor": cursor} if cursor else {})}
        answer = await client.get("/v1/deliveries", params=query, headers=bearer("viewer"))
        assert "ann@example.com" not in answer.text
        found += [row["action_id"] for row in answer.json()["deliveries"]]
        cursor = answer.json()["cursor"]
        if cursor is None:
            break
    assert sorted(found) == ["a0", "a2", "a4"]
    assert (await client.get("/v1/deliveries", params={"cursor": "x"}, headers=bearer("viewer"))).status_code == 400
    assert (await client.get("/v1/deliveries?state=nonsense", headers=bearer("viewer"))).status_code == 422
    assert (await client.get("/v1/deliveries")).status_code == 401


@pytest.mark.parametrize(
    "place_in_list", ["2026-03-02T12:00:00+00:00\na\0", "0001-01-01T00:00:00+14:00\na", "9999-12-31T23:00:00-14:00\na", "now\na"]
)
async def test_a_cursor_that_no_page_gave_is_refused_with_a_reason(client: httpx.AsyncClient, place_in_list: str) -> None:
    cursor = base64.urlsafe_b64encode(place_in_list.encode()).decode()
    answer = await client.get("/v1/deliveries", params={"cursor": cursor}, headers=bearer("viewer"))
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:nextwave:problem:invalid-cursor")
    assert "exactly as the page before gave it" in answer.json()["detail"]
    nul = base64.urlsafe_b64encode(b"a\0\nemail\nmarketing").decode()
    assert (await client.get("/v1/suppressions", params={"cursor": nul}, headers=bearer("viewer"))).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/deliveries?state=nonsense&limit=many", None),
        ("GET", "/v1/suppressions?limit=0", None),
        ("GET", "/v1/statistics?campaign=%00", None),
        ("POST", "/v1/deliveries/a:resolve", b'{"state": "nonsense"}'),
        ("PUT", "/v1/suppressions", b"no json at all"),
        ("DELETE", "/v1/suppressions", None),
    ],
)
async def test_whoever_has_no_token_is_told_so_before_the_request_is_looked_at(
    client: httpx.AsyncClient, method: str, path: str, body: bytes | None
) -> None:
    for headers in ({}, bearer("stolen")):
        answer = await client.request(method, path, content=body, headers={**headers, "content-type": "application/json"})
        assert answer.status_code == 401, answer.text
    known = await client.request(method, path, content=body, headers={**bearer("operator"), "content-type": "application/json"})
    assert known.status_code == 422, known.text


async def test_a_role_that_may_not_is_told_so_before_its_parameters_are_looked_at(client: httpx.AsyncClient) -> None:
    assert (await client.delete("/v1/suppressions", headers=bearer("viewer"))).status_code == 403


async def test_an_address_is_masked_but_for_the_privacy_role(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, "a1")
    masked = (await client.get("/v1/deliveries/a1", headers=bearer("viewer"))).json()
    opened = (await client.get("/v1/deliveries/a1", headers=bearer("privacy"))).json()
    assert (masked["address"], masked["text"]) == ("a***@example.com", None)
    assert (opened["address"], opened["text"]) == ("ann@example.com", "Hello Ann")
    assert [step["kind"] for step in masked["steps"]] == ["accepted"]
    assert (await client.get("/v1/deliveries/nobody", headers=bearer("viewer"))).status_code == 404


async def test_an_operator_settles_an_unknown_delivery_and_only_that(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(a_contact(action_id="a1"))
    dispatcher = place.dispatcher(Recorder(answer=lambda _: Uncertain(detail="lost")))
    for delivery in await dispatcher.claim(1) or []:
        await dispatcher.send(delivery)
    body = {"state": "failed", "note": "asked the provider"}
    assert (await client.post("/v1/deliveries/a1:resolve", json=body, headers=bearer("viewer"))).status_code == 403
    settled = await client.post("/v1/deliveries/a1:resolve", json=body, headers=bearer("operator"))
    assert (settled.status_code, settled.json()["state"]) == (200, "failed")
    assert (await client.post("/v1/deliveries/a1:resolve", json=body, headers=bearer("operator"))).status_code == 409
    assert [o.kind for o in await place.outcomes()] == ["failed", "unknown"]


async def test_a_suppression_withdraws_at_once_and_can_be_lifted(place: Place, client: httpx.AsyncClient) -> None:
    subject = blind("email:ann@example.com", KEY)
    await place.put(a_contact(subjects=(subject,)), a_contact(action_id="service", subjects=(subject,), purpose="service"))
    scope = {"identifier": "email:Ann@example.com", "channel": "email", "purpose": "marketing"}
    put = await client.put("/v1/suppressions", json=scope, headers=bearer("operator"))
    assert put.json() == {"subject": subject, "withdrawn": 1}
    assert await place.states() == {"action-1": "withdrawn", "service": "due"}
    listed = (await client.get("/v1/suppressions", params={"identifier": scope["identifier"]}, headers=bearer("viewer"))).json()
    assert [(row["subject"], row["purpose"], row["stopped"]) for row in listed["suppressions"]] == [(subject, "marketing", True)]
    place.clock.instant = NOON.replace(hour=13)
    await client.delete("/v1/suppressions", params=scope, headers=bearer("operator"))
    await place.put(a_contact(action_id="later", subjects=(subject,)))
    assert [d.contact.action_id for d in await place.dispatcher(Recorder()).claim(5) or []].count("later") == 1
    assert (await client.put("/v1/suppressions", json={"identifier": "nonsense"}, headers=bearer("operator"))).status_code == 422
    assert (await client.put("/v1/suppressions", json=scope, headers=bearer("viewer"))).status_code == 403


async def test_the_sums_count_states_and_outcomes(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, "a1", "a2")
    await place.put(a_contact(action_id="b1", campaign="other"))
    told = (await client.get("/v1/statistics", headers=bearer("viewer"))).json()
    assert {(row["campaign"], row["state"]): row["count"] for row in told["deliveries"]} == {
        ("renewal", "accepted"): 2,
        ("other", "due"): 1,
    }
    assert told["outcomes"] == {"accepted": 2}
    assert (await client.get("/v1/statistics?campaign=other", headers=bearer("viewer"))).json()["outcomes"] == {}

"""Callbacks of every provider over HTTP, on the real PostgreSQL: what they change, what they keep, and what they refuse."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from channel_contacts import a_contact
from channels_place import PARTITIONS, Place, Recorder
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import FastAPI
from nextwave_channels.answers import Accepted
from nextwave_channels.callbacks import routes, unmatched
from nextwave_channels.callbacks.dsn import Dsn
from nextwave_channels.callbacks.evidence import Provider
from nextwave_channels.callbacks.inbox import Inbox
from nextwave_channels.callbacks.mailgun import Mailgun
from nextwave_channels.callbacks.postmark import Postmark
from nextwave_channels.callbacks.sendgrid import SendGrid
from nextwave_channels.callbacks.sns import Ses
from nextwave_channels.callbacks.twilio import Twilio
from nextwave_contracts.identifiers import blind
from nextwave_contracts.wire import encode
from nextwave_runtime import problem
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret
from nextwave_runtime.database import Database
from twilio.request_validator import RequestValidator
from unit.channels.callbacks.amazon import TOPIC, Web, notice
from unit.channels.callbacks.test_dsn import report

KEY = b"i" * 32
ANN, OTHER = blind("email:ann@example.com", KEY), blind("email:ann@other.example", KEY)
PRIVATE = ec.generate_private_key(ec.SECP256R1())
URL = "https://channels.example"


@pytest.fixture
def inbox(place: Place) -> Inbox:
    return Inbox(database=place.database, clock=place.clock, partitions=PARTITIONS, identifier_key=KEY)


@pytest.fixture
async def client(inbox: Inbox, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    key = Key(name="viewer", kind="api", hash=hash_secret("viewer", "p"), roles=("viewer",))
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=(key,))))
    app = FastAPI()
    problem.install(app)
    doors: dict[str, Provider] = {
        "twilio": Twilio(("token",)),
        "sendgrid": SendGrid((PRIVATE.public_key(),)),
        "mailgun": Mailgun(("key",)),
        "postmark": Postmark(("secret",)),
        "ses": Ses(frozenset({TOPIC}), Web({})),
        "dsn": Dsn(("secret",)),
    }
    app.include_router(routes.router(inbox, doors, URL))
    app.include_router(routes.listing(inbox, Keyring(tmp_path / "keys.json")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as opened:
        yield opened


async def sendgrid(client: httpx.AsyncClient, *events: Any) -> int:
    return (await post_events(client, *events)).status_code


async def post_events(client: httpx.AsyncClient, *events: Any) -> httpx.Response:
    body, stamp = json.dumps(events).encode(), str(int(time.time()))
    signature = b64encode(PRIVATE.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    headers = {"x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": stamp}
    return await client.post("/v1/callbacks/sendgrid", content=body, headers=headers)


def event(kind: str, action_id: str = "a1", **more: Any) -> dict[str, Any]:
    return {"event": kind, "action_id": action_id, "sg_event_id": f"{kind}-{action_id}", "email": "Ann@example.com", **more}


def to_ann(action_id: str, **changes: Any) -> Any:
    known: dict[str, Any] = {"action_id": action_id, "subjects": ("hash-ann-id", ANN, OTHER), "address_subject": ANN}
    return a_contact(**{**known, **changes})


async def sent(place: Place, *contacts: Any, provider_id: str = "") -> None:
    await place.put(*contacts)
    dispatcher = place.dispatcher(Recorder(answer=lambda _: Accepted(provider_id=provider_id)))
    for delivery in await dispatcher.claim(len(contacts)) or []:
        await dispatcher.send(delivery)


async def test_the_events_of_one_callback_count_each_by_itself(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, *(to_ann(f"a{n}") for n in range(1, 8)))
    events = [event("open", f"a{n}") for n in range(1, 6)]
    events += [event("delivered", f"a{n}") for n in range(1, 8)]
    assert await sendgrid(client, *events, "rubbish", {"event": "open", "action_id": "a7\0", "sg_event_id": "nul"}, None) == 204
    assert await sendgrid(client, *reversed(events)) == 204
    assert await place.states() == {**{f"a{n}": "opened" for n in range(1, 6)}, "a6": "delivered", "a7": "opened"}


async def test_a_mail_provider_is_not_heard_about_a_text(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(to_ann("a1", channel="sms"))
    assert await sendgrid(client, event("spamreport")) == 204
    assert await place.states() == {"a1": "due"}
    assert {channel for (channel,) in await place.ask("select channel from stops")} == {"email"}


async def test_a_hard_bounce_closes_that_address_for_every_purpose_and_no_other_address(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, to_ann("a1"))
    await place.put(
        to_ann("marketing"),
        to_ann("receipt", purpose="transactional"),
        to_ann("elsewhere", address_subject=OTHER),
    )
    assert await sendgrid(client, event("bounce", type="bounce", status="5.1.1", reason="550 <ann@example.com> unknown")) == 204
    assert await place.states() == {"a1": "bounced", "marketing": "withdrawn", "receipt": "withdrawn", "elsewhere": "due"}
    assert await place.ask("select subject, kind, channel, stopped, source, reason from stops") == [
        (ANN, "address", "email", True, "provider:sendgrid", "closed")
    ]
    await place.put(to_ann("later", purpose="service"))
    await place.dispatcher(Recorder()).claim(5)
    assert (await place.states())["later"] == "withdrawn"


async def test_a_soft_bounce_and_a_delay_close_nothing(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, to_ann("a1"), to_ann("a2"))
    await sendgrid(client, event("deferred"), event("bounce", "a2", type="bounce", status="4.2.2"))
    assert await place.states() == {"a1": "accepted", "a2": "failed"}
    assert await place.ask("select * from stops") == []


async def test_a_complaint_stops_the_channel_and_closes_the_address(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, to_ann("a1"))
    await place.put(to_ann("receipt", purpose="transactional"), to_ann("elsewhere", address_subject=OTHER))
    await sendgrid(client, event("spamreport"))
    assert await place.states() == {"a1": "refused", "receipt": "withdrawn", "elsewhere": "withdrawn"}


async def test_an_unsubscribe_at_the_provider_stops_what_it_was_about(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, to_ann("a1"))
    await place.put(to_ann("marketing"), to_ann("receipt", purpose="transactional"))
    await sendgrid(client, event("unsubscribe"))
    assert await place.states() == {"a1": "refused", "marketing": "withdrawn", "receipt": "due"}


async def test_a_complaint_about_a_delivery_that_nobody_knows_stops_its_address_at_once(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(to_ann("queued"))
    await sendgrid(client, event("spamreport", "nobody"))
    assert await place.states() == {"queued": "withdrawn"}
    ((kept,),) = await place.ask("select evidence from unmatched")
    assert b"example.com" not in bytes(kept)


async def test_a_callback_that_overtook_our_record_is_applied_once_the_record_is_there(
    place: Place, inbox: Inbox, client: httpx.AsyncClient
) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+14155550100"}
    headers = {"x-twilio-signature": RequestValidator("token").compute_signature(f"{URL}/v1/callbacks/twilio", form)}
    headers["content-type"] = "application/x-www-form-urlencoded"
    for _ in range(2):
        assert (await client.post("/v1/callbacks/twilio", content=urlencode(form), headers=headers)).status_code == 204
    listed = (await client.get("/v1/unmatched-callbacks", headers={"authorization": "Bearer viewer"})).json()
    assert [(row["provider"], row["provider_id"], row["kind"], row["tries"]) for row in listed["callbacks"]] == [
        ("twilio", "SM1", "delivered", 0)
    ]
    assert not await inbox.try_again(), "its turn has not come"
    await place.ask("update unmatched set try_at = clock_timestamp()")
    assert await inbox.try_again()
    await sent(place, a_contact(action_id="text"), provider_id="SM1")
    await place.ask("update deliveries set channel = 'sms'")
    await place.ask("update unmatched set try_at = clock_timestamp()")
    assert await inbox.try_again()
    assert await place.states() == {"text": "delivered"}
    assert await place.ask("select * from unmatched") == []


async def test_each_try_waits_twice_as_long_and_nothing_is_kept_for_ever(place: Place, inbox: Inbox, client: httpx.AsyncClient) -> None:
    await sendgrid(client, event("delivered", "nobody"), event("open", "nobody"))
    waits = []
    for _ in range(3):
        await place.ask("update unmatched set try_at = clock_timestamp() where kind = 'opened'")
        await inbox.try_again()
        waits += await place.ask("select round(extract(epoch from try_at - clock_timestamp())) from unmatched where kind = 'opened'")
    assert [int(seconds) for (seconds,) in waits] == [2, 4, 8]
    await place.ask("update unmatched set received_at = received_at - interval '30 days 1 minute' where kind = 'opened'")
    async with place.database.transaction() as connection:
        assert await unmatched.expire(connection) == 1
    assert await place.ask("select kind from unmatched") == [("delivered",)]


async def test_an_id_that_two_deliveries_have_is_no_evidence_about_either(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, to_ann("a1"), to_ann("a2"), provider_id="Q1")
    await sendgrid(client, {"event": "delivered", "sg_event_id": "e", "sg_message_id": "Q1.filter"})
    assert await place.states() == {"a1": "accepted", "a2": "accepted"}
    assert await place.ask("select provider_id from unmatched") == [("Q1",)]


async def test_an_id_of_the_provider_is_enough_where_one_delivery_has_it(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, to_ann("a1"), provider_id="Q1")
    await sendgrid(client, {"event": "delivered", "sg_event_id": "e", "sg_message_id": "Q1.filter"})
    assert await place.states() == {"a1": "delivered"}


async def test_the_same_callback_at_the_same_moment_from_many_sides_counts_once(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, to_ann("a1"))
    await place.put(to_ann("queued"))
    assert set(await asyncio.gather(*(sendgrid(client, event("spamreport"), event("open")) for _ in range(8)))) == {204}
    assert sorted((o.action_id, o.kind) for o in await place.outcomes() if o.kind != "opened") == [
        ("a1", "accepted"),
        ("a1", "refused"),
        ("queued", "withdrawn"),
    ]


@pytest.mark.parametrize(("first", "state"), [("delivered", "delivered"), ("stored", "accepted")])
async def test_a_mailgun_token_is_good_once_whatever_event_it_comes_with(
    place: Place, client: httpx.AsyncClient, first: str, state: str
) -> None:
    await sent(place, to_ann("a1"))
    stamp = str(int(time.time()))
    signature = hmac.new(b"key", f"{stamp}token".encode(), hashlib.sha256).hexdigest()
    for kind in (first, "complained"):
        body = {
            "signature": {"timestamp": stamp, "token": "token", "signature": signature},
            "event-data": {"event": kind, "user-variables": {"action_id": "a1"}},
        }
        assert (await client.post("/v1/callbacks/mailgun", json=body)).status_code == 204
    assert await place.states() == {"a1": state}


@pytest.mark.parametrize("count", [1, 3])
async def test_while_the_database_is_away_a_callback_is_to_come_again(inbox: Inbox, count: int) -> None:
    dead = Database("postgresql://nobody:none@127.0.0.1:1/none")
    app = FastAPI()
    problem.install(app)
    app.include_router(routes.router(replace(inbox, database=dead), {"sendgrid": SendGrid((PRIVATE.public_key(),))}, URL))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as opened:
        answer = await post_events(opened, *(event("open", f"a{n}") for n in range(count)))
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:nextwave:problem:unavailable")
    assert int(answer.headers["retry-after"]) > 0
    await dead.close()


async def test_a_returned_mail_bounces_its_delivery(place: Place, client: httpx.AsyncClient) -> None:
    await sent(place, to_ann("act-1"))
    headers = {"authorization": "Bearer secret", "content-type": "message/rfc822"}
    assert (await client.post("/v1/callbacks/dsn", content=report(), headers=headers)).status_code == 204
    assert await place.states() == {"act-1": "bounced"}
    assert await place.ask("select kind, reason from stops") == [("address", "closed")]


@pytest.mark.parametrize(
    ("door", "body", "status", "kind"),
    [
        ("nobody", b"", 404, "not-found"),
        ("mail", b"", 404, "not-found"),
        ("UPPER", b"", 422, "invalid-request"),
        ("twilio", b"a=1", 403, "wrong-signature"),
        ("twilio", b"a" * 65_537, 413, "too-large"),
        ("sendgrid", b"[]", 403, "wrong-signature"),
        ("mailgun", b"{}", 403, "wrong-signature"),
        ("mailgun", b"[]", 400, "invalid-callback"),
        ("postmark", b"{}", 401, "unauthenticated"),
        ("dsn", b"", 401, "unauthenticated"),
        ("ses", b"{}", 400, "invalid-callback"),
        ("ses", json.dumps(notice(TopicArn="arn:aws:sns:eu-west-1:1:other")).encode(), 403, "wrong-signature"),
        ("ses", json.dumps(notice()).encode(), 503, "unavailable"),
    ],
)
async def test_what_is_refused_says_why(client: httpx.AsyncClient, door: str, body: bytes, status: int, kind: str) -> None:
    answer = await client.post(f"/v1/callbacks/{door}", content=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:nextwave:problem:{kind}")
    assert (answer.headers.get("retry-after") is not None) == (status == 503)


async def test_what_fits_no_delivery_is_listed_in_pages_for_whoever_has_a_token(client: httpx.AsyncClient) -> None:
    await sendgrid(client, *(event("open", f"n{n}") for n in range(5)))
    assert (await client.get("/v1/unmatched-callbacks")).status_code == 401
    found, cursor = [], None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/v1/unmatched-callbacks", params=query, headers={"authorization": "Bearer viewer"})).json()
        found += [row["action_id"] for row in page["callbacks"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert sorted(found) == [f"n{n}" for n in range(5)]

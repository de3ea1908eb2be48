"""The shipped mappings of what customers write: texts, mails, chats and message boards, as their senders post them."""

from __future__ import annotations

import json
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_ingest.admission import EVENT_BYTES_MAX
from twilio.request_validator import RequestValidator
from unit.ingest.fakes import WRITE_KEY, Stand, basic, stand

PUBLIC, SECRET, ANN = "https://in.example.com", "t0ken", "+491711234567"
TEXT = {
    "MessageSid": "SM1",
    "SmsStatus": "received",
    "From": ANN,
    "To": "+4930123456",
    "Body": "Hello",
    "NumMedia": "0",
    "AccountSid": "AC1",
}


@pytest.fixture
def door(tmp_path: Path) -> Stand:
    return stand(tmp_path, ingest_url=PUBLIC, source_secrets={"shop": {"twilio": SECRET}})


async def post(door: Stand, mapping: str, content: bytes, media_type: str, **headers: str) -> httpx.Response:
    sent = {"authorization": basic(WRITE_KEY)} | headers | {"content-type": media_type}
    async with door.client() as client:
        return await client.post(f"/v1/inbound/shop/{mapping}", content=content, headers=sent)


async def posted(door: Stand, mapping: str, body: Any) -> list[Touchpoint]:
    answer = await post(door, mapping, json.dumps(body).encode(), "application/json")
    assert answer.status_code == 202, answer.text
    assert answer.json()["rejected"] == []
    return door.committer.touchpoints


async def texted(door: Stand, **fields: str) -> list[Touchpoint]:
    """Signed by Twilio's own code."""
    form = {**TEXT, **fields}
    signature = RequestValidator(SECRET).compute_signature(f"{PUBLIC}/v1/inbound/shop/twilio-sms", form)
    sent = {"authorization": "", "x-twilio-signature": signature}
    answer = await post(door, "twilio-sms", urlencode(form).encode(), "application/x-www-form-urlencoded", **sent)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml")
    assert answer.text.endswith("<Response></Response>")
    return door.committer.touchpoints


def stops(door: Stand) -> list[tuple[str, str]]:
    return [(hold.kind, hold.channel) for hold in door.committer.holds]


async def test_a_text_by_twilio_is_heard_and_answered_without_a_word(door: Stand) -> None:
    [said] = await texted(door)
    assert (said.type, said.id, said.identifiers, said.source) == ("sms.received", "SM1", (f"phone:{ANN}",), "shop")
    assert said.data == {"body": "Hello", "to": "+4930123456", "media": "0"}


@pytest.mark.parametrize(
    ("fields", "stopped"),
    [
        ({"Body": "STOP"}, [("opt_out", "sms")]),
        ({"Body": "genug", "OptOutType": "STOP"}, [("opt_out", "sms")]),
        ({"Body": "START", "OptOutType": "START"}, [("opt_in", "sms")]),
        ({"Body": "HELP", "OptOutType": "HELP"}, []),
        ({"Body": "please leave me alone"}, [("review", "sms")]),
        ({"Body": "genug", "OptOutType": "STOP", "From": f"whatsapp:{ANN}", "To": "whatsapp:+4930123456"}, [("opt_out", "chat")]),
        ({"Body": "STOP", "From": f"whatsapp:{ANN}", "To": "whatsapp:+4930123456"}, [("opt_out", "chat")]),
    ],
)
async def test_twilio_s_texts_stop_what_they_say(door: Stand, fields: dict[str, str], stopped: list[tuple[str, str]]) -> None:
    [said] = await texted(door, **fields)
    assert said.identifiers == (f"phone:{ANN}",)
    assert stops(door) == stopped


@pytest.mark.parametrize(
    ("mapping", "body"),
    [
        ("sms-gateway", {"id": "g1", "text": "STOP"}),
        ("sms-gateway", {"id": "g1", "from": "", "message": "STOP"}),
        ("sms-gateway", {"id": "g1", "from": "12345", "text": "STOP"}),
        ("twilio-sms", {"MessageSid": "SM1", "Body": "STOP"}),
        ("twilio-sms", {"MessageSid": "SM1", "Body": "STOP", "From": "12345"}),
        ("twilio-sms", {"MessageSid": "SM1", "Body": "STOP", "From": "messenger:7"}),
        ("chat", {"event": "message", "id": "m-1", "text": "STOP"}),
        ("message-board", {"id": "b-1", "text": "STOP"}),
    ],
)
async def test_words_of_nobody_knows_whom_are_kept_among_the_rejected(door: Stand, mapping: str, body: dict[str, str]) -> None:
    form = mapping == "twilio-sms"
    answer = await post(door, mapping, urlencode(body).encode() if form else json.dumps(body).encode(), "")
    assert (answer.is_success, door.committer.touchpoints) == (True, [])
    (kept,) = door.committer.rejected
    assert ("names no customer" in kept.detail, "STOP" in kept.payload.decode()) == (True, True)


async def test_a_gateway_s_reports_of_delivery_are_no_texts(door: Stand) -> None:
    assert await posted(door, "sms-gateway", {"id": "g1", "to": ANN, "status": "delivered"}) == []


@pytest.mark.parametrize(
    ("mapping", "body"),
    [
        ("sms-gateway", {"id": "g1", "from": ANN, "text": "STOP " + "x" * 40_000}),
        ("twilio-sms", {"MessageSid": "SM1", "From": ANN, "Body": "STOP " + "x" * 40_000}),
        ("twilio-sms", {"MessageSid": "SM1", "From": f"whatsapp:{ANN}", "Body": "x" * 40_000, "OptOutType": "STOP"}),
        ("chat", {"event": "message", "text": "please leave me alone " + '"' * 40_000, "page": "x" * 40_000, "customer": {"id": "7"}}),
        (
            "message-board",
            {"text": "take me off your list " + "\u00e4" * 40_000, "title": "x" * 40_000, "url": "x" * 40_000, "author": {"id": "7"}},
        ),
    ],
)
async def test_a_stop_is_heard_however_much_stands_behind_it(door: Stand, mapping: str, body: dict[str, Any]) -> None:
    form = mapping == "twilio-sms"
    answer = await post(door, mapping, urlencode(body).encode() if form else json.dumps(body, ensure_ascii=False).encode(), "")
    assert (answer.is_success, door.committer.rejected) == (True, [])
    assert [kind for kind, _ in stops(door)] in (["opt_out"], ["review"])
    assert len(door.committer.records[0].value) < EVENT_BYTES_MAX + 1_000


async def test_what_twilio_tells_of_our_own_messages_is_no_touchpoint(door: Stand) -> None:
    assert await texted(door, MessageStatus="delivered") == []


async def test_texts_of_any_gateway(door: Stand) -> None:
    first, second = await posted(
        door,
        "sms-gateway",
        [
            {"id": "g1", "from": ANN, "to": "1234", "text": "Stop alles", "received_at": "2026-11-22T09:00:00Z"},
            {"messageId": "g2", "from": ANN[1:], "message": "Hello"},
        ],
    )
    assert (first.id, first.identifiers, first.data["body"], first.occurred_at.hour) == ("g1", (f"phone:{ANN}",), "Stop alles", 9)
    assert (second.id, second.identifiers, second.data) == ("g2", (f"phone:{ANN}",), {"body": "Hello"})
    assert stops(door) == [("opt_out", "sms")]


async def test_a_chat_is_told_from_its_beginning_to_its_end_and_agents_words_are_not_the_customer_s(door: Stand) -> None:
    whole = {"conversation": "c-1", "at": "2026-11-22T09:00:00Z", "customer": {"id": "7", "anonymous_id": "d9"}}
    events: list[dict[str, Any]] = [
        {"event": "started"},
        {"event": "message", "id": "m-1", "text": "STOP please", "by": "customer"},
        {"event": "message", "id": "m-2", "text": "STOP", "by": "agent"},
        {"event": "message", "id": "m-4", "text": "STOP", "by": "Agent"},
        {"event": "message", "id": "m-3", "by": "visitor", "text": "take me off your list"},
        {"event": "ended", "started_at": "2026-11-22T08:59:00Z"},
    ]
    said = await posted(door, "chat", [whole | event for event in events])
    assert [(one.type, one.id) for one in said] == [
        ("chat.started", "c-1/started"),
        ("chat.message_received", "m-1"),
        ("chat.message_received", "m-3"),
        ("chat.ended", "c-1/ended"),
    ]
    assert {one.identifiers for one in said} == {("customer_id:7", "anonymous_id:d9")}
    assert said[-1].data == {"conversation": "c-1", "seconds": 60}
    assert stops(door) == [("opt_out", "chat"), ("review", "chat")]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("sms-gateway", {"from": ANN, "to": "1234"}),
        ("chat", {"event": "message", "customer": {"id": "7"}}),
        ("message-board", {"author": {"id": "7"}}),
    ],
)
async def test_who_says_stop_start_and_stop_is_heard_three_times_where_nothing_tells_them_apart(
    door: Stand, mapping: str, said: dict[str, Any]
) -> None:
    for text in ("STOP", "START", "STOP"):
        door.clock.instant += timedelta(minutes=1)
        await posted(door, mapping, said | {"text": text})
    first, _, last = door.committer.touchpoints
    assert first.id != last.id
    assert stops(door)[-1][0] == "opt_out"


async def test_a_text_with_its_time_is_the_same_however_often_it_comes(door: Stand) -> None:
    for _ in range(2):
        door.clock.instant += timedelta(minutes=1)
        await posted(door, "sms-gateway", {"from": ANN, "text": "STOP", "received_at": "2026-11-22T09:00:00Z"})
    first, again = door.committer.touchpoints
    assert first.id == again.id


async def test_a_stop_on_a_message_board_stops_everything(door: Stand) -> None:
    post_ = {"id": "p-1", "text": "STOP", "topic": "shoes", "at": "2026-11-22T09:00:00Z", "author": {"email": "ann@example.com"}}
    [said] = await posted(door, "message-board", post_)
    assert (said.type, said.identifiers, said.data) == (
        "message.left",
        ("email:ann@example.com",),
        {"body": "STOP", "topic": "shoes", "wish": "opt_out"},
    )
    assert stops(door) == [("opt_out", "")]


ACTION = "0123456789abcdef0123456789abcdef"


def mail(text: str, **headers: str) -> EmailMessage:
    made = EmailMessage()
    usual = {
        "From": "Ann Example <Ann@example.com>",
        "To": "Shop <shop@example.org>",
        "Subject": "Re: Our offer",
        "Date": "Sun, 22 Nov 2026 09:00:00 +0000",
        "Message-ID": "<m-1@mail.example.com>",
    }
    for name, value in (usual | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        made[name] = value
    made.set_content(text)
    return made


async def mailed(door: Stand, made: EmailMessage, way: str) -> Touchpoint:
    """By one of the ways in which mails come."""
    raw = made.as_bytes()
    if way == "mime":
        answer = await post(door, "email-mime", raw, "message/rfc822")
    else:
        headers, _, _ = raw.decode().partition("\n\n")
        fields = {"email": raw.decode()} if way == "sendgrid raw" else {"headers": headers, "text": str(made.get_content())}
        form = httpx.Request("POST", PUBLIC, files={name: (None, value) for name, value in (fields | {"SPF": "pass"}).items()})
        answer = await post(door, "sendgrid-inbound", form.read(), form.headers["content-type"])
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"accepted": 1, "ignored": 0, "rejected": []}
    return door.committer.touchpoints[-1]


WAYS = ("mime", "sendgrid raw", "sendgrid parsed")


@pytest.mark.parametrize("way", WAYS)
async def test_a_mail_stops_mails_and_names_the_contact_that_it_answers(door: Stand, way: str) -> None:
    quoted = "\n\nOn Sun, 22 Nov 2026, Shop <shop@example.org> wrote:\n> Hello Ann\n"
    said = await mailed(door, mail(f"Stop{quoted}", In_Reply_To=f"<{ACTION}@example.org>"), way)
    assert (said.type, said.id, said.identifiers) == ("email.received", "<m-1@mail.example.com>", ("email:ann@example.com",))
    assert (said.data["subject"], said.data["action_id"], said.data["wish"]) == ("Re: Our offer", ACTION, "opt_out")
    assert stops(door) == [("opt_out", "email")]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("made", "stopped"),
    [
        (mail("Dear shop,\nplease take me off your list.\nAnn\n> Hello"), [("review", "email")]),
        (mail("Thanks!\n> write STOP to stop"), []),
        (mail("", Subject="unsubscribe"), [("opt_out", "email")]),
        (mail("Alles abmelden"), [("opt_out", "")]),
    ],
)
async def test_mails_stop_what_they_say_above_the_quote(door: Stand, way: str, made: EmailMessage, stopped: list[tuple[str, str]]) -> None:
    assert (await mailed(door, made, way)).type == "email.received"
    assert stops(door) == stopped


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "made",
    [
        mail("I am away until Monday.\nSTOP means stop.", Auto_Submitted="auto-replied"),
        mail("I am away until Monday.\nSTOP means stop.", Subject="Out of office"),
        mail("I am away until Monday.\nSTOP means stop.", From="MAILER-DAEMON@mx.example.com"),
        mail("I am away until Monday.\nSTOP means stop.", Return_Path="<>"),
    ],
)
async def test_a_machine_s_mail_asks_for_nothing(door: Stand, way: str, made: EmailMessage) -> None:
    assert (await mailed(door, made, way)).type == "email.auto_replied"
    assert stops(door) == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_mail_program_s_unsubscription_counts(door: Stand, way: str) -> None:
    made = mail("This message was generated automatically.", Subject="Unsubscribe", Auto_Submitted="auto-generated")
    assert (await mailed(door, made, way)).type == "email.auto_replied"
    assert stops(door) == [("opt_out", "email")]


@pytest.mark.parametrize("way", WAYS)
async def test_a_sender_that_anybody_can_write_grants_nothing(door: Stand, way: str) -> None:
    await mailed(door, mail("start", Subject="START"), way)
    assert stops(door) == []
    await mailed(door, mail("start", In_Reply_To=f"<{ACTION}@example.org>", References=f"<{ACTION}@example.org>"), way)
    assert stops(door) == []

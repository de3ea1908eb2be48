"""Requests that the providers' own packages have signed open the inbound door, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from clients.serving import Served, ingest, listening
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from nextwave_channels.callbacks.evidence import Posted, WrongSignatureError
from nextwave_channels.callbacks.sendgrid import SendGrid
from nextwave_contracts.sendgrid_signature import read_key
from nextwave_ingest.mappings.document import Document, Rule, Scheme, Signature
from node_tools import installed, run_node
from twilio.request_validator import RequestValidator
from unit.channels.callbacks.posting import read
from unit.ingest.fakes import MemoryCommitter

PROVIDERS = Path(__file__).parent / "providers"
PUBLIC = "https://ingest.example"
SIGNING = ec.generate_private_key(ec.SECP256R1())
VERIFYING = base64.b64encode(SIGNING.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
"""As the page on the security of SendGrid's webhooks shows its key."""
EVENTS = Document(
    "twilio-events",
    signature=Signature("twilio"),
    touchpoints=(Rule("call.ended", id="$.id", identifiers={"phone": "$.data.from"}),),
)
"""Twilio's own events come as JSON."""
SECRET = "s3cret-of-the-shop"
TEXT = {"MessageSid": "SM1", "From": "+14155550100", "To": "+14155550199", "Body": "STOP + größe & 1=1", "NumMedia": "0"}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Served]:
    committer = MemoryCommitter()
    with listening(
        ingest(
            tmp_path,
            committer,
            EVENTS,
            ingest_url=PUBLIC,
            source_secrets={"shop": dict.fromkeys(get_args(Scheme), SECRET) | {"sendgrid": VERIFYING}},
        )
    ) as port:
        yield Served(f"http://127.0.0.1:{port}", committer)


def test_what_twilio_and_shopify_sign_in_node_is_taken(door: Served) -> None:
    answers = msgspec.json.decode(run_node(installed(PROVIDERS) / "post.mjs", door.url, PUBLIC, SECRET))
    assert [tuple(answer) for answer in answers] == [(200, "text/xml"), (200, "text/xml"), (202, "application/json")]
    seen = {t.type: t for t in door.committer.touchpoints}
    assert (seen["sms.received"].id, seen["sms.received"].identifiers) == ("SM-node", ("phone:+14155550100",))
    assert seen["sms.received"].data["body"] == "Stopp bitte größe & co = 1+1"
    assert "phone:+14155550100" in seen["call.offered"].identifiers
    assert (seen["order.placed"].data["amount"], seen["order.placed"].id) == (1250, "order/7/placed")
    assert [(hold.kind, hold.channel) for hold in door.committer.holds] == [("opt_out", "sms")]


@pytest.mark.parametrize("url", [PUBLIC, PUBLIC.replace("example", "example:443")])
def test_what_twilio_signs_in_python_is_taken_with_and_without_its_port(door: Served, url: str) -> None:
    path = "/v1/inbound/shop/twilio-sms?from=a%20b"
    signature = RequestValidator(SECRET).compute_signature(url + path, TEXT)
    answer = httpx.post(door.url + path, data=TEXT, headers={"x-twilio-signature": signature}, timeout=30)
    assert (answer.status_code, answer.text) == (200, '<?xml version="1.0" encoding="UTF-8"?><Response></Response>')
    assert [t.id for t in door.committer.touchpoints] == ["SM1"]


def test_what_somebody_changed_on_its_way_is_not_taken(door: Served) -> None:
    path = "/v1/inbound/shop/twilio-sms"
    signature = RequestValidator(SECRET).compute_signature(PUBLIC + path, TEXT)
    foreign = RequestValidator("another").compute_signature(PUBLIC + path, TEXT)
    order = b'{"id":7}'
    mac = base64.b64encode(hmac.new(b"another", order, hashlib.sha256).digest()).decode()
    form = {"content-type": "application/x-www-form-urlencoded"}
    attempts: list[tuple[str, str | bytes, dict[str, str]]] = [
        (path, urlencode(TEXT | {"From": "+14155550101"}), form | {"x-twilio-signature": signature}),
        (path + "?a=b", urlencode(TEXT), form | {"x-twilio-signature": signature}),
        (path, urlencode(TEXT), form | {"x-twilio-signature": foreign}),
        (path.replace("shop", "callcentre"), urlencode(TEXT), form | {"x-twilio-signature": signature}),
        (path.replace("twilio-sms", "shopify"), order, {"x-shopify-topic": "orders/create", "x-shopify-hmac-sha256": mac}),
    ]
    for target, content, headers in attempts:
        answer = httpx.post(door.url + target, content=content, headers=headers, timeout=30)
        assert answer.status_code == 401, target
    assert door.committer.records == []


def judged(url: str, form: dict[str, str], written: str, mail: str) -> Any:
    """What the providers' packages for Node sign, and what they say of it."""
    key = SIGNING.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    stamp = str(int(time.time()))
    given = {
        "twilio": {"token": SECRET, "url": url, "form": form, "json": written},
        "sendgrid": {"key": key, "publicKey": VERIFYING, "stamp": stamp, "body": mail},
    }
    told = json.loads(run_node(installed(PROVIDERS) / "sign.mjs", json.dumps(given)))
    return told | {"stamp": stamp}


@pytest.mark.parametrize("port", ["", ":443"])
def test_twilio_for_node_signs_forms_and_json_behind_a_proxy_with_and_without_a_port(door: Served, port: str) -> None:
    event = [{"id": "EZ1", "type": "com.twilio.voice.status-callback.call.completed", "data": {"from": "+14155550100", "note": "größe"}}]
    written = json.dumps(event, ensure_ascii=False)
    by_form = "/v1/inbound/shop/twilio-sms?from=a%20b&x=%C3%BC"
    forms = judged(f"{PUBLIC}{port}{by_form}", TEXT, written, "")
    events = judged(f"{PUBLIC}{port}/v1/inbound/shop/twilio-events", TEXT, written, "")
    assert (forms["form"]["holds"], events["json"]["holds"]) == (True, True)
    asked = events["json"]["url"].removeprefix(PUBLIC + port)
    signed = {"x-twilio-signature": events["json"]["signature"], "content-type": "application/json"}
    texts = httpx.post(door.url + by_form, data=TEXT, headers={"x-twilio-signature": forms["form"]["signature"]}, timeout=30)
    taken = httpx.post(door.url + asked, content=written.encode(), headers=signed, timeout=30)
    changed = httpx.post(door.url + asked, content=written.replace("0100", "0101").encode(), headers=signed, timeout=30)
    assert (texts.status_code, taken.status_code, changed.status_code) == (200, 202, 401)
    assert [(t.type, t.id) for t in door.committer.touchpoints] == [("sms.received", "SM1"), ("call.ended", "EZ1")]


def test_what_sendgrids_package_for_node_knows_as_signed_is_taken_by_both_of_its_doors(door: Served) -> None:
    fields = {"headers": "From: ann@example.com\r\nMessage-ID: <1@x>\r\n", "text": "STOP"}
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    mail = "".join([*parts, "--b--\r\n"])
    told = judged(PUBLIC, TEXT, "[]", mail)
    assert (told["sendgrid"]["holds"], told["sendgrid"]["changed"]) == (True, False)
    names = ("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp")
    signed = dict(zip(names, (told["sendgrid"]["signature"], told["stamp"]), strict=True))
    form = signed | {"content-type": "multipart/form-data; boundary=b"}
    answers = [
        httpx.post(f"{door.url}/v1/inbound/shop/sendgrid-inbound", content=body.encode(), headers=form, timeout=30)
        for body in (mail, mail.replace("ann@", "bob@"))
    ]
    assert [answer.status_code for answer in answers] == [202, 401]
    assert [(hold.kind, hold.channel) for hold in door.committer.holds] == [("opt_out", "email")]
    events = '[{"event": "open", "sg_event_id": "e1", "action_id": "a1", "email": "größe@example.com"}]'
    told = judged(PUBLIC, TEXT, "[]", events)
    signed = dict(zip(names, (told["sendgrid"]["signature"], told["stamp"]), strict=True))
    callbacks = SendGrid((read_key(VERIFYING),))
    (opened,) = read(callbacks, Posted(url="", query={}, headers=signed, body=events.encode(), wall=time.time()))
    assert opened is not None
    assert (opened.kind, opened.action_id) == ("opened", "a1")
    with pytest.raises(WrongSignatureError):
        read(callbacks, Posted(url="", query={}, headers=signed, body=events.encode() + b" ", wall=time.time()))

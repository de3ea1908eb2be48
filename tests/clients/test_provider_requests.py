"""Requests that the providers' own packages have signed open the inbound door, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from clients.serving import Served, ingest, listening
from nextwave_ingest.mappings.document import Scheme
from node_tools import installed, run_node
from twilio.request_validator import RequestValidator
from unit.ingest.fakes import MemoryCommitter

PROVIDERS = Path(__file__).parent / "providers"
PUBLIC = "https://ingest.example"
SECRET = "s3cret-of-the-shop"
TEXT = {"MessageSid": "SM1", "From": "+14155550100", "To": "+14155550199", "Body": "STOP + größe & 1=1", "NumMedia": "0"}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Served]:
    committer = MemoryCommitter()
    with listening(
        ingest(tmp_path, committer, ingest_url=PUBLIC, source_secrets={"shop": dict.fromkeys(get_args(Scheme), SECRET)})
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

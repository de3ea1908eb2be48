"""Signatures against their oracles: Twilio's own package, and the worked example of Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_channels.signatures import is_standard_webhook, standard_signature
from nextwave_contracts.twilio_signature import is_from_twilio, twilio_signature
from twilio.request_validator import RequestValidator

TOKEN = "12345"
URL = "https://channels.example.com/v1/callbacks/twilio?action=action-1"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
texts = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(deadline=None)
@given(st.dictionaries(texts, texts, max_size=6))
def test_a_signature_is_what_twilios_own_package_computes(form: dict[str, str]) -> None:
    assert twilio_signature(TOKEN, URL, form.items()) == RequestValidator(TOKEN).compute_signature(URL, form)


@pytest.mark.parametrize("signed", [URL, URL.replace(".com/", ".com:443/")])
@pytest.mark.parametrize("public", [URL, URL.replace(".com/", ".com:443/")])
def test_the_url_counts_with_and_without_its_port(signed: str, public: str) -> None:
    signature = RequestValidator(TOKEN).compute_signature(signed, {"MessageStatus": "sent"})
    assert is_from_twilio(signature, TOKEN, public, [("MessageStatus", "sent")])


@pytest.mark.parametrize(
    ("token", "url", "form"),
    [
        ("54321", URL, [("MessageStatus", "sent")]),
        (TOKEN, URL.replace("action-1", "action-2"), [("MessageStatus", "sent")]),
        (TOKEN, URL, [("MessageStatus", "delivered")]),
        (TOKEN, URL, []),
    ],
)
def test_another_token_url_or_field_breaks_the_signature(token: str, url: str, form: list[tuple[str, str]]) -> None:
    signature = twilio_signature(TOKEN, URL, [("MessageStatus", "sent")])
    assert not is_from_twilio(signature, token, url, form)
    assert not is_from_twilio("ümläut", TOKEN, URL, form)


def headers(stamp: str, body: bytes, *, name: str = "msg_1") -> dict[str, str]:
    signature = standard_signature(SECRET, name, stamp, body)
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1a,zzz v1,{signature}"}


def test_a_standard_webhook_holds_by_the_published_recipe() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    expected = base64.b64encode(hmac.new(key, b"msg_1.1000.{}", hashlib.sha256).digest()).decode()
    assert standard_signature(SECRET, "msg_1", "1000", b"{}") == expected
    assert is_standard_webhook(headers("1000", b"{}"), b"{}", SECRET, 1000.0)


@pytest.mark.parametrize("wall_now", [1000.0 - 301, 1000.0 + 301])
def test_a_standard_webhook_more_than_five_minutes_off_is_refused(wall_now: float) -> None:
    assert not is_standard_webhook(headers("1000", b"{}"), b"{}", SECRET, wall_now)


@pytest.mark.parametrize(
    "changed", [{"webhook-id": "msg_2"}, {"webhook-timestamp": "1001"}, {"webhook-timestamp": "x"}, {"webhook-signature": ""}]
)
def test_a_changed_header_or_body_breaks_a_standard_webhook(changed: dict[str, str]) -> None:
    assert not is_standard_webhook({**headers("1000", b"{}"), **changed}, b"{}", SECRET, 1000.0)
    assert not is_standard_webhook(headers("1000", b"{}"), b"{ }", SECRET, 1000.0)

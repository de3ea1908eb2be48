"""SendGrid's Event Webhook: its own package accepts the signatures that are accepted here, and refuses those refused here."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nextwave_channels.callbacks.evidence import Posted, UnreadableError, WrongSignatureError
from nextwave_channels.callbacks.sendgrid import SendGrid, of_event
from nextwave_contracts.sendgrid_signature import read_key
from sendgrid.helpers.eventwebhook import EventWebhook
from unit.channels.callbacks.posting import post, read

PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = b64encode(PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
DOOR = SendGrid((read_key(PUBLIC),))
EVENTS = [
    {"email": "ann@example.com", "event": "delivered", "sg_event_id": "e1", "sg_message_id": "m1.filter1-2", "action_id": "a1"},
    "no object",
    {"email": "bob@example.com", "event": "bounce", "type": "bounce", "status": "5.1.1", "sg_event_id": "e2", "action_id": "a2"},
]


def signed(body: bytes, stamp: str = "1000", wall: float = 1000.0) -> Posted:
    signature = b64encode(PRIVATE.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    return post(body, wall, x_twilio_email_event_webhook_signature=signature, x_twilio_email_event_webhook_timestamp=stamp)


def test_what_is_accepted_here_is_what_sendgrids_own_package_accepts() -> None:
    callback = signed(json.dumps(EVENTS).encode())
    signature = callback.headers["x-twilio-email-event-webhook-signature"]
    assert EventWebhook(PUBLIC).verify_signature(callback.body.decode(), signature, "1000")
    assert not EventWebhook(PUBLIC).verify_signature(callback.body.decode() + " ", signature, "1000")
    read(DOOR, callback)
    with pytest.raises(WrongSignatureError):
        read(DOOR, replace(callback, body=callback.body + b" "))


def test_sendgrids_own_published_example_holds() -> None:
    """Key, payload, signature and time of the tests in sendgrid's packages."""
    key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
    signature = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
    payload = (
        '[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRr'
        'b2ZTbV9BLTA","sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","smtp-id":'
        '"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
    )
    headers = {"x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": "1600112502"}
    callback = Posted(url="", query={}, headers=headers, body=payload.encode(), wall=1600112502.0)
    (found,) = read(SendGrid((read_key(key),)), callback)
    assert found is not None
    assert (found.kind, found.effect, found.provider_id) == ("failed", "closed", "LRzXl_NHStOGhQ4kofSm_A")


def test_one_bad_event_does_not_stop_the_others() -> None:
    found = read(DOOR, signed(json.dumps(EVENTS).encode()))
    assert [(one.action_id, one.kind, one.effect) if one else None for one in found] == [
        ("a1", "delivered", ""),
        None,
        ("a2", "bounced", "closed"),
    ]


@pytest.mark.parametrize("stamp", ["", "x", "-1000", "²", "1" * 400])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    with pytest.raises(WrongSignatureError):
        read(DOOR, signed(b"[]", stamp))


@pytest.mark.parametrize("wall", [1000.0 - 86_401, 1000.0 + 86_401])
def test_an_old_signature_is_refused(wall: float) -> None:
    assert read(DOOR, signed(b"[]")) == []
    with pytest.raises(WrongSignatureError):
        read(DOOR, signed(b"[]", wall=wall))


@pytest.mark.parametrize("body", [b"{}", b"[", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_array_is_told_so(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(DOOR, signed(body))


def test_a_key_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_key(b64encode(b64decode(PUBLIC)[:-3]).decode())


@pytest.mark.parametrize(
    ("event", "result"),
    [
        ({"event": "processed"}, ("accepted", "")),
        ({"event": "deferred"}, None),
        ({"event": "bounce", "type": "bounce", "reason": "550 5.1.1 no such user"}, ("bounced", "closed")),
        ({"event": "bounce", "type": "bounce", "status": "5.7.1"}, ("failed", "")),
        ({"event": "bounce", "type": "blocked", "status": "5.7.1"}, ("failed", "")),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, ("failed", "complained")),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, ("failed", "unsubscribed")),
        ({"event": "dropped", "reason": "something else"}, ("failed", "")),
        ({"event": "open"}, ("opened", "")),
        ({"event": "open", "sg_machine_open": True}, None),
        ({"event": "click"}, ("clicked", "")),
        ({"event": "spamreport"}, ("refused", "complained")),
        ({"event": "unsubscribe"}, ("refused", "unsubscribed")),
        ({"event": "group_unsubscribe"}, ("refused", "unsubscribed")),
        ({"event": "group_resubscribe"}, None),
        ({"event": ["list"]}, None),
        ({}, None),
    ],
)
def test_an_event_means_what_stands_in_the_list(event: dict[str, Any], result: tuple[str, str] | None) -> None:
    found = of_event({"sg_event_id": "e", "action_id": "a", **event})
    assert ((found.kind, found.effect) if found else None) == result


def test_no_address_stands_in_what_is_kept_of_the_providers_words() -> None:
    found = of_event({"sg_event_id": "e", "event": "bounce", "reason": "550 5.1.1 <ann@example.com>: unknown\r\nX: y"})
    assert found is not None
    assert found.detail == "bounce 550 5.1.1 <•••>: unknown  X: y"

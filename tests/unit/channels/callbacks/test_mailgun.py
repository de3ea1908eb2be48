"""Mailgun's webhooks by the recipe of its documentation."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest
from nextwave_channels.callbacks.evidence import Posted, Spent, UnreadableError, WrongSignatureError
from nextwave_channels.callbacks.mailgun import Mailgun, of_event
from unit.channels.callbacks.posting import post, read

DOOR = Mailgun(("key-1", "key-0"))
TOKEN = "t" * 50
DELIVERED = {"event": "delivered", "id": "e1", "recipient": "ann@example.com", "user-variables": {"action_id": "a1"}}


def signed(event: Any, *, key: str = "key-1", token: str = TOKEN, wall: float = 1000.0) -> Posted:
    signature = hmac.new(key.encode(), f"1000{token}".encode(), hashlib.sha256).hexdigest()
    body = {"signature": {"timestamp": "1000", "token": token, "signature": signature}, "event-data": event}
    return post(json.dumps(body).encode(), wall)


@pytest.mark.parametrize("key", ["key-1", "key-0"])
def test_a_signature_by_either_key_holds(key: str) -> None:
    (found,) = read(DOOR, signed(DELIVERED, key=key))
    assert found is not None
    assert (found.action_id, found.kind, found.address) == ("a1", "delivered", "ann@example.com")


def test_another_key_an_old_time_or_no_token_is_refused() -> None:
    for wrong in (signed(DELIVERED, key="other"), signed(DELIVERED, wall=1000.0 + 86_401), signed(DELIVERED, token="")):
        with pytest.raises(WrongSignatureError):
            read(DOOR, wrong)
    with pytest.raises(WrongSignatureError):
        read(DOOR, post(json.dumps({"signature": [], "event-data": DELIVERED}).encode()))
    with pytest.raises(UnreadableError):
        read(DOOR, post(b"[]"))


def test_a_signature_is_good_for_one_event_since_it_does_not_cover_it() -> None:
    (first,) = read(DOOR, signed(DELIVERED))
    (forged,) = read(DOOR, signed({**DELIVERED, "event": "complained"}))
    assert first is not None
    assert forged is not None
    assert first.event_id == forged.event_id
    assert silent(signed({"event": "failed", "severity": "temporary"})) == silent(signed([])) == [Spent(first.event_id)]


def silent(posted: Posted) -> object:
    return asyncio.run(_read(posted))


async def _read(posted: Posted) -> object:
    return await DOOR.read(posted)


@pytest.mark.parametrize(
    ("event", "result"),
    [
        ({"event": "accepted"}, ("accepted", "")),
        ({"event": "failed", "severity": "temporary", "reason": "generic"}, None),
        ({"event": "failed", "severity": "permanent", "reason": "bounce", "delivery-status": {"code": 550}}, ("bounced", "closed")),
        ({"event": "failed", "severity": "permanent", "reason": "bounce", "delivery-status": {"enhanced-code": "5.2.2"}}, ("failed", "")),
        ({"event": "failed", "severity": "permanent", "reason": "suppress-bounce"}, ("failed", "closed")),
        ({"event": "failed", "severity": "permanent", "reason": "suppress-complaint"}, ("failed", "complained")),
        ({"event": "failed", "severity": "permanent", "reason": "suppress-unsubscribe"}, ("failed", "unsubscribed")),
        ({"event": "failed", "severity": "permanent", "reason": "old"}, ("failed", "")),
        ({"event": "opened"}, ("opened", "")),
        ({"event": "clicked"}, ("clicked", "")),
        ({"event": "complained"}, ("refused", "complained")),
        ({"event": "unsubscribed"}, ("refused", "unsubscribed")),
        ({"event": "stored"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_an_event_means_what_stands_in_the_list(event: dict[str, Any], result: tuple[str, str] | None) -> None:
    found = of_event(event, "token")
    assert ((found.kind, found.effect) if found else None) == result


def test_without_its_variable_the_message_id_names_the_action() -> None:
    found = of_event({"event": "delivered", "message": {"headers": {"message-id": "act-1@shop.example"}}}, "t")
    assert found is not None
    assert found.action_id == "act-1"

"""Standard Webhooks of any channel, signed by the reference package."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from nextwave_channels.callbacks.evidence import Posted, UnreadableError, WrongSignatureError
from nextwave_channels.callbacks.standard import Data, Event, Standard, of_event
from standardwebhooks.webhooks import Webhook
from unit.channels.callbacks.posting import post, read

OLD, NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_bG9jYWwtb25seS1sb2NhbC1vbmx5LWxvY2Fs"
DOOR = Standard((NEW, OLD))


def body(kind: str, **data: Any) -> bytes:
    return json.dumps({"type": kind, "timestamp": "2026-03-02T12:00:00Z", "data": {"action_id": "a1", **data}}).encode()


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_what_the_reference_package_signs_is_accepted(secret: str) -> None:
    payload = body("delivery.answered")
    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(1000, UTC), payload.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1000", "webhook-signature": signature}
    (found,) = read(DOOR, Posted(url="", query={}, headers=headers, body=payload, wall=1000.0))
    assert found is not None
    assert (found.action_id, found.kind) == ("a1", "answered")
    with pytest.raises(WrongSignatureError):
        read(DOOR, Posted(url="", query={}, headers=headers, body=payload, wall=1301.0))
    with pytest.raises(WrongSignatureError):
        read(Standard(("whsec_" + "A" * 32,)), Posted(url="", query={}, headers=headers, body=payload, wall=1000.0))


def test_a_signed_body_that_is_no_callback_is_told_so() -> None:
    signature = Webhook(NEW).sign("msg_1", datetime.fromtimestamp(1000, UTC), '["no"]')
    with pytest.raises(UnreadableError):
        read(DOOR, post(b'["no"]', webhook_id="msg_1", webhook_timestamp="1000", webhook_signature=signature))


@pytest.mark.parametrize(
    ("kind", "data", "result"),
    [
        ("mail.delivered", {}, ("delivered", "")),
        ("mail.bounced", {"detail": "550 5.1.1 no such mailbox"}, ("bounced", "closed")),
        ("mail.bounced", {"detail": "452 4.2.2 full"}, ("bounced", "")),
        ("mail.bounced", {}, ("bounced", "")),
        ("mail.complained", {}, ("refused", "complained")),
        ("mail.eaten", {}, None),
        ("delivery.delivered", {}, ("delivered", "")),
        ("delivery.no_answer", {}, ("no_answer", "")),
        ("delivery.busy", {}, ("busy", "")),
        ("delivery.bounced", {"permanent": True}, ("bounced", "closed")),
        ("delivery.bounced", {"permanent": False, "detail": "550 5.1.1"}, ("bounced", "")),
        ("delivery.unsubscribed", {}, ("refused", "unsubscribed")),
        ("delivery.opted_out", {}, ("refused", "opted_out")),
        ("delivery.withdrawn", {}, None),
        ("delivery.unknown", {}, None),
        ("delivered", {}, None),
    ],
)
def test_a_type_means_what_its_name_says_and_others_nothing(kind: str, data: dict[str, Any], result: tuple[str, str] | None) -> None:
    found = of_event(Event(type=kind, data=Data(action_id="a", **data)), "msg_1")
    assert ((found.kind, found.effect) if found else None) == result

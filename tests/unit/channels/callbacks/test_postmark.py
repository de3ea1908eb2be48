"""Postmark's webhooks: a secret instead of a signature, and what its records mean."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from nextwave_channels.callbacks.evidence import WrongSecretError
from nextwave_channels.callbacks.postmark import Postmark, of_record
from unit.channels.callbacks.posting import post, read

DOOR = Postmark(("hook:secret", "plain"))
BOUNCE = {
    "RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "TypeCode": 1, "MessageID": "883953f4", "Email": "ann@example.com",
    "Details": "550 5.1.1 no such user", "BouncedAt": "2026-03-02T12:00:00Z", "Inactive": True, "Metadata": {"action_id": "a1"},
}  # fmt: skip
CHANGED = {"RecordType": "SubscriptionChange"}


def basic(pair: str) -> str:
    return "Basic " + b64encode(pair.encode()).decode()


@pytest.mark.parametrize("authorization", [basic("hook:secret"), basic("anybody:plain"), "Bearer plain"])
def test_the_secret_of_the_webhooks_url_opens_the_door(authorization: str) -> None:
    (found,) = read(DOOR, post(json.dumps(BOUNCE).encode(), authorization=authorization))
    assert found is not None
    assert (found.action_id, found.provider_id, found.kind, found.effect) == ("a1", "883953f4", "bounced", "closed")


@pytest.mark.parametrize(
    "authorization", ["", basic("hook:other"), basic("other:secret"), "Basic !", "Basic", "Bearer", "Bearer other", "Digest plain", "plain"]
)
def test_no_or_another_secret_is_refused(authorization: str) -> None:
    with pytest.raises(WrongSecretError):
        read(DOOR, post(json.dumps(BOUNCE).encode(), authorization=authorization))


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ({"RecordType": "Delivery"}, ("delivered", "")),
        ({"RecordType": "Bounce", "Type": "BadEmailAddress"}, ("bounced", "closed")),
        ({"RecordType": "Bounce", "Type": "SoftBounce"}, ("failed", "")),
        ({"RecordType": "Bounce", "Type": "Transient"}, None),
        ({"RecordType": "Bounce", "Type": "AutoResponder"}, None),
        ({"RecordType": "Bounce", "Type": "Unsubscribe"}, ("refused", "unsubscribed")),
        ({"RecordType": "SpamComplaint"}, ("refused", "complained")),
        ({"RecordType": "Open"}, ("opened", "")),
        ({"RecordType": "Click"}, ("clicked", "")),
        ({**CHANGED, "SuppressSending": True, "SuppressionReason": "ManualSuppression"}, ("refused", "unsubscribed")),
        ({**CHANGED, "SuppressSending": True, "SuppressionReason": "HardBounce"}, ("bounced", "closed")),
        ({**CHANGED, "SuppressSending": False, "SuppressionReason": None}, None),
        ({"RecordType": "Inbound"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_record_means_what_stands_in_the_list(record: dict[str, Any], result: tuple[str, str] | None) -> None:
    found = of_record(record)
    assert ((found.kind, found.effect) if found else None) == result

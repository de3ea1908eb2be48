"""SendGrid's Event Webhook: an array of events, signed with ECDSA over the time and the raw body.

Facts: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event and its page on security features.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from nextwave_contracts.outcomes import OutcomeKind

from nextwave_channels.callbacks.evidence import (
    ACTION,
    Effect,
    Evidence,
    Posted,
    UnreadableError,
    WrongSignatureError,
    as_object,
    as_text,
    in_words,
    of_bounce,
    signed_lately,
)

EVENTS_MAX = 10_000
_SIMPLE: Mapping[str, tuple[OutcomeKind, Effect]] = {
    "processed": ("accepted", ""),
    "delivered": ("delivered", ""),
    "open": ("opened", ""),
    "click": ("clicked", ""),
    "spamreport": ("refused", "complained"),
    "unsubscribe": ("refused", "unsubscribed"),
    "group_unsubscribe": ("refused", "unsubscribed"),
}
_DROPPED: Mapping[str, Effect] = {
    "bounced address": "closed",
    "invalid": "closed",
    "spam reporting address": "complained",
    "unsubscribed address": "unsubscribed",
}


@dataclass(frozen=True, slots=True)
class SendGrid:
    """`keys`: verification keys as SendGrid's settings show them."""

    keys: tuple[EllipticCurvePublicKey, ...]
    body_max: int = 2_097_152

    async def read(self, posted: Posted) -> Sequence[Evidence | None]:
        """See `Provider`. Events that are no objects say nothing; the others count."""
        stamp = posted.headers.get("x-twilio-email-event-webhook-timestamp", "")
        signature = posted.headers.get("x-twilio-email-event-webhook-signature", "")
        if not signed_lately(stamp, posted.wall) or not any(_holds(key, signature, stamp.encode() + posted.body) for key in self.keys):
            raise WrongSignatureError
        try:
            events = msgspec.json.decode(posted.body, type=list[Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
            raise UnreadableError(f"the body is no JSON array: {wrong}") from wrong
        if len(events) > EVENTS_MAX:
            raise UnreadableError(f"a callback has at most {EVENTS_MAX} events")
        return [of_event(as_object(event)) for event in events]


def read_key(written: str) -> EllipticCurvePublicKey:
    """A verification key, base64 of DER. Raises `ValueError`."""
    key = load_der_public_key(b64decode(written))
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("SendGrid's verification key is an elliptic curve key")  # noqa: TRY004  (a wrong value of a setting)
    return key


def of_event(event: Mapping[str, Any]) -> Evidence | None:
    """One event. An opening by a machine (Apple's privacy proxy) says nothing, and neither does a delay."""
    said = _reading(event)
    event_id, message_id = as_text(event.get("sg_event_id")), as_text(event.get("sg_message_id"))
    action_id = as_text(event.get(ACTION))
    if said is None or not event_id:
        return None
    kind, effect = said
    return Evidence(
        event_id=f"sendgrid\0{event_id}",
        kind=kind,
        action_id=action_id,
        provider_id=message_id.partition(".")[0],
        effect=effect,
        channel="email",
        address=as_text(event.get("email")),
        detail=in_words(as_text(event.get("event")), as_text(event.get("status")), as_text(event.get("reason"))),
    )


def _reading(event: Mapping[str, Any]) -> tuple[OutcomeKind, Effect] | None:
    name = as_text(event.get("event"))
    if name == "bounce":
        status = as_text(event.get("status")) or as_text(event.get("reason"))
        return ("failed", "") if event.get("type") == "blocked" else of_bounce(status)
    if name == "dropped":
        reason = as_text(event.get("reason")).lower()
        return "failed", next((effect for begin, effect in _DROPPED.items() if reason.startswith(begin)), "")
    return None if name == "open" and event.get("sg_machine_open") is True else _SIMPLE.get(name)


def _holds(key: EllipticCurvePublicKey, signature: str, signed: bytes) -> bool:
    try:
        key.verify(b64decode(signature, validate=True), signed, ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True

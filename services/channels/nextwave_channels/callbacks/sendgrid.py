"""SendGrid's Event Webhook: an array of events, signed with ECDSA over the time and the raw body.

Facts: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event and its page on security features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from nextwave_contracts.outcomes import OutcomeKind
from nextwave_contracts.sendgrid_signature import is_signed_by_sendgrid

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
        if not is_signed_by_sendgrid(posted.headers, posted.body, self.keys, posted.wall):
            raise WrongSignatureError
        try:
            events = msgspec.json.decode(posted.body, type=list[Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
            raise UnreadableError(f"the body is no JSON array: {wrong}") from wrong
        if len(events) > EVENTS_MAX:
            raise UnreadableError(f"a callback has at most {EVENTS_MAX} events")
        return [of_event(as_object(event)) for event in events]


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

"""Mailgun's webhooks: the signature stands in the body, over a time and a token that is good for one event only.

Facts: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks and .../events/event-structure.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nextwave_contracts.outcomes import OutcomeKind
from nextwave_contracts.signed_lately import signed_lately

from nextwave_channels.callbacks.evidence import (
    ACTION,
    Effect,
    Evidence,
    Posted,
    Spent,
    WrongSignatureError,
    action_of_message_id,
    as_object,
    as_text,
    decode_object,
    in_words,
    of_bounce,
)

_SIMPLE: Mapping[str, tuple[OutcomeKind, Effect]] = {
    "accepted": ("accepted", ""),
    "delivered": ("delivered", ""),
    "opened": ("opened", ""),
    "clicked": ("clicked", ""),
    "complained": ("refused", "complained"),
    "unsubscribed": ("refused", "unsubscribed"),
    "rejected": ("failed", ""),
}
_SUPPRESSED: Mapping[str, Effect] = {
    "suppress-bounce": "closed",
    "suppress-complaint": "complained",
    "suppress-unsubscribe": "unsubscribed",
}


@dataclass(frozen=True, slots=True)
class Mailgun:
    """`keys`: HTTP webhook signing keys."""

    keys: tuple[str, ...]
    body_max: int = 262_144

    async def read(self, posted: Posted) -> Sequence[Evidence | Spent]:
        """See `Provider`. The signature does not cover the event, so a token is taken once, whatever event it comes with, or none."""
        body = decode_object(posted.body)
        signed = as_object(body.get("signature"))
        stamp, token = as_text(signed.get("timestamp")), as_text(signed.get("token"))
        given = as_text(signed.get("signature")).encode()
        expected = [signature(key, stamp, token).encode() for key in self.keys]
        fits = [hmac.compare_digest(given, one) for one in expected]
        if not token or not signed_lately(stamp, posted.wall) or not any(fits):
            raise WrongSignatureError
        return [of_event(as_object(body.get("event-data")), token) or Spent(_named(token))]


def signature(key: str, stamp: str, token: str) -> str:
    """hex(HMAC-SHA256(key, timestamp + token))."""
    return hmac.new(key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()


def _named(token: str) -> str:
    return f"mailgun\0{token}"


def of_event(event: Mapping[str, Any], token: str) -> Evidence | None:
    """One event; a temporary failure says nothing, since Mailgun goes on trying."""
    said = _reading(event)
    headers = as_object(as_object(event.get("message")).get("headers"))
    named = as_text(as_object(event.get("user-variables")).get(ACTION))
    if said is None:
        return None
    kind, effect = said
    return Evidence(
        event_id=_named(token),
        kind=kind,
        action_id=named or action_of_message_id(as_text(headers.get("message-id"))),
        effect=effect,
        channel="email",
        address=as_text(event.get("recipient")),
        detail=in_words(as_text(event.get("event")), as_text(event.get("reason")), *_words(event)),
    )


def _reading(event: Mapping[str, Any]) -> tuple[OutcomeKind, Effect] | None:
    name, reason = as_text(event.get("event")), as_text(event.get("reason"))
    if name != "failed":
        return _SIMPLE.get(name)
    if event.get("severity") != "permanent":
        return None
    if reason in _SUPPRESSED:
        return "failed", _SUPPRESSED[reason]
    return of_bounce(" ".join(_words(event))) if reason == "bounce" else ("failed", "")


def _words(event: Mapping[str, Any]) -> tuple[str, ...]:
    status = as_object(event.get("delivery-status"))
    return as_text(status.get("enhanced-code")), as_text(status.get("code")), as_text(status.get("message"))

"""Postmark's webhooks: unsigned, so they bring a secret (Basic authentication in the webhook's URL, or an Authorization header).

Facts: https://postmarkapp.com/developer/webhooks/webhooks-overview and .../api/bounce-api#bounce-types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nextwave_contracts.outcomes import OutcomeKind

from nextwave_channels.callbacks.evidence import (
    ACTION,
    Effect,
    Evidence,
    Posted,
    WrongSecretError,
    as_object,
    as_text,
    brings_secret,
    decode_object,
    in_words,
)

_RECORDS: Mapping[str, tuple[OutcomeKind, Effect]] = {
    "Delivery": ("delivered", ""),
    "Open": ("opened", ""),
    "Click": ("clicked", ""),
    "SpamComplaint": ("refused", "complained"),
}
_BOUNCES: Mapping[str, tuple[OutcomeKind, Effect]] = {
    "HardBounce": ("bounced", "closed"),
    "BadEmailAddress": ("bounced", "closed"),
    "SpamComplaint": ("refused", "complained"),
    "Unsubscribe": ("refused", "unsubscribed"),
    "ManuallyDeactivated": ("failed", "closed"),
    "SoftBounce": ("failed", ""),
    "DnsError": ("failed", ""),
    "SpamNotification": ("failed", ""),
    "VirusNotification": ("failed", ""),
    "Blocked": ("failed", ""),
    "SMTPApiError": ("failed", ""),
    "DMARCPolicy": ("failed", ""),
    "TemplateRenderingFailed": ("failed", ""),
}
"""Types that are not here (an answering machine, a delay, a challenge) say nothing of the delivery."""
_SUPPRESSIONS: Mapping[str, tuple[OutcomeKind, Effect]] = {
    "HardBounce": ("bounced", "closed"),
    "SpamComplaint": ("refused", "complained"),
    "ManualSuppression": ("refused", "unsubscribed"),
}


@dataclass(frozen=True, slots=True)
class Postmark:
    """`secrets`: passwords, or `user:password`."""

    secrets: tuple[str, ...]
    body_max: int = 262_144

    async def read(self, posted: Posted) -> Sequence[Evidence | None]:
        """See `Provider`."""
        if not brings_secret(posted.headers.get("authorization", ""), self.secrets):
            raise WrongSecretError
        return [of_record(decode_object(posted.body))]


def of_record(record: Mapping[str, Any]) -> Evidence | None:
    """One webhook. That an address may be written to again (`SuppressSending` false) is the provider's word, and lifts nothing here."""
    said = _reading(record)
    name, message_id = as_text(record.get("RecordType")), as_text(record.get("MessageID"))
    if said is None:
        return None
    kind, effect = said
    at = next((as_text(record.get(field)) for field in ("ReceivedAt", "DeliveredAt", "BouncedAt", "ChangedAt") if record.get(field)), "")
    return Evidence(
        event_id=f"postmark\0{name}\0{message_id}\0{as_text(record.get('ID'))}\0{at}",
        kind=kind,
        action_id=as_text(as_object(record.get("Metadata")).get(ACTION)),
        provider_id=message_id,
        effect=effect,
        channel="email",
        address=as_text(record.get("Recipient")) or as_text(record.get("Email")),
        detail=in_words(name, as_text(record.get("Type")), as_text(record.get("Details")) or as_text(record.get("Description"))),
    )


def _reading(record: Mapping[str, Any]) -> tuple[OutcomeKind, Effect] | None:
    name = as_text(record.get("RecordType"))
    if name == "Bounce":
        return _BOUNCES.get(as_text(record.get("Type")))
    if name == "SubscriptionChange":
        return _SUPPRESSIONS.get(as_text(record.get("SuppressionReason"))) if record.get("SuppressSending") is True else None
    return _RECORDS.get(name)

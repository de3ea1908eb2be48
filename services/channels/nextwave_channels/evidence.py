"""What providers' callbacks say, as evidence for the state machine: only statuses on these lists mean anything. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from nextwave_contracts.outcomes import OutcomeKind

from nextwave_channels.adapters.twilio import OPTED_OUT

TEXT_STATUSES: dict[str, OutcomeKind] = {
    "accepted": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "accepted",
    "delivered": "delivered",
    "read": "opened",
    "undelivered": "bounced",
    "failed": "failed",
    "canceled": "failed",
}
CALL_STATUSES: dict[str, OutcomeKind] = {
    "queued": "accepted",
    "initiated": "accepted",
    "ringing": "accepted",
    "in-progress": "delivered",
    "answered": "delivered",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "failed",
}
MAIL_TYPES: dict[str, OutcomeKind] = {"mail.delivered": "delivered", "mail.bounced": "bounced", "mail.complained": "refused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One callback: about which action, what it shows, and what makes two of them the same (`event_id`)."""

    action_id: str
    kind: OutcomeKind
    event_id: str
    detail: str = ""
    provider_id: str = ""
    opted_out: bool = False


class MailData(msgspec.Struct):
    """About which action, and the provider's words."""

    action_id: str
    detail: str = ""


class MailEvent(msgspec.Struct):
    """The body of a mail callback."""

    type: str
    data: MailData


def of_twilio(action_id: str, form: Mapping[str, str]) -> Evidence | None:
    """The evidence of a Twilio status callback, text or call; None for a status that is not on the lists."""
    is_call = "CallSid" in form
    status = form.get("CallStatus" if is_call else "MessageStatus", "")
    kind = _of_call(status, form.get("AnsweredBy", "")) if is_call else TEXT_STATUSES.get(status)
    if kind is None or not action_id:
        return None
    sid = form.get("CallSid" if is_call else "MessageSid", "")
    error = form.get("ErrorCode", "")
    opted_out = error == str(OPTED_OUT)
    return Evidence(
        action_id=action_id,
        kind="refused" if opted_out else kind,
        event_id=f"twilio\0{action_id}\0{sid}\0{status}",
        detail=f"{status} {error}".strip(),
        provider_id=sid,
        opted_out=opted_out,
    )


def of_mail(event: MailEvent, event_id: str) -> Evidence | None:
    """The evidence of a mail callback; a spam complaint is a refusal of all mail. None for other types."""
    kind = MAIL_TYPES.get(event.type)
    if kind is None or not event.data.action_id:
        return None
    return Evidence(
        action_id=event.data.action_id,
        kind=kind,
        event_id=f"mail\0{event_id}",
        detail=event.data.detail,
        opted_out=kind == "refused",
    )


def _of_call(status: str, answered_by: str) -> OutcomeKind | None:
    """A completed call was answered only by a human; a machine or fax is no answer; not knowing which is just delivered."""
    if status != "completed":
        return CALL_STATUSES.get(status)
    if answered_by == "human":
        return "answered"
    return "no_answer" if answered_by.startswith(("machine", "fax")) else "delivered"

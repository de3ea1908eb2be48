"""Twilio's status callbacks of texts and calls: signed over the public URL and the form, about the action named in the URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nextwave_contracts.outcomes import OutcomeKind
from nextwave_contracts.twilio_signature import body_hash, form_of, is_signed_by_twilio

from nextwave_channels.adapters.twilio import DEAD_NUMBERS, OPTED_OUT
from nextwave_channels.callbacks.evidence import (
    Effect,
    Evidence,
    Posted,
    UnreadableError,
    WrongSignatureError,
    as_text,
    decode_object,
    in_words,
)

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


@dataclass(frozen=True, slots=True)
class Twilio:
    """`secrets`: the auth token, and those of shared keys. Several hold while one is being replaced."""

    secrets: tuple[str, ...]
    body_max: int = 65_536

    async def read(self, posted: Posted) -> Sequence[Evidence | None]:
        """See `Provider`. A JSON body is signed by its hash in the URL (`bodySHA256`)."""
        try:
            is_theirs = is_signed_by_twilio(posted.url, posted.headers, posted.body, self.secrets)
        except ValueError as wrong:
            raise UnreadableError("the body is no form that can be read") from wrong
        if not is_theirs:
            raise WrongSignatureError
        is_form = not body_hash(posted.url)
        fields = dict(form_of(posted.body)) if is_form else {name: as_text(one) for name, one in decode_object(posted.body).items()}
        return [of_status(posted.query.get("action", ""), fields)]


def of_status(action_id: str, form: Mapping[str, str]) -> Evidence | None:
    """The evidence of a status callback, text or call; None for a status that is not on the lists."""
    is_call = "CallSid" in form
    status = form.get("CallStatus" if is_call else "MessageStatus", "")
    kind = _of_call(status, form.get("AnsweredBy", "")) if is_call else TEXT_STATUSES.get(status)
    sid = form.get("CallSid" if is_call else "MessageSid", "")
    if kind is None or not (action_id or sid):
        return None
    error = form.get("ErrorCode", "")
    effect = _effect(error, kind)
    return Evidence(
        action_id=action_id,
        kind="refused" if effect == "opted_out" else kind,
        event_id=f"twilio\0{action_id}\0{sid}\0{status}",
        detail=in_words(status, error),
        provider_id=sid,
        effect=effect,
        channel="call" if is_call else "sms",
        address=form.get("To", ""),
    )


def _effect(error: str, kind: OutcomeKind) -> Effect:
    if error == OPTED_OUT:
        return "opted_out"
    return "closed" if error in DEAD_NUMBERS and kind in {"failed", "bounced"} else ""


def _of_call(status: str, answered_by: str) -> OutcomeKind | None:
    """A completed call was answered only by a human; a machine or fax is no answer; not knowing which is just delivered."""
    if status != "completed":
        return CALL_STATUSES.get(status)
    if answered_by == "human":
        return "answered"
    return "no_answer" if answered_by.startswith(("machine", "fax")) else "delivered"

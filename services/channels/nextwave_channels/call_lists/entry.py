"""A call in the hands of whoever makes it: until when it may begin, and what can come of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from nextwave_contracts.actions import Contact
from nextwave_contracts.outcomes import OutcomeKind

from nextwave_channels.delivery import Delivery

Result = Literal["connected", "answered", "abandoned", "no_answer", "busy", "refused", "failed", "not_called"]
"""`connected`: an agent talks, more will be reported. `abandoned`: somebody picked up and no agent was there. `refused`: the customer said
no. `failed`: it was dialled and cannot be reached. `not_called`: it surely was not dialled, and will not be."""
ABANDONED = "abandoned"
"""What the detail of a `no_answer` begins with, when somebody picked up and no agent was there."""
RESULTS: tuple[Result, ...] = get_args(Result)
EVIDENCE: Mapping[Result, OutcomeKind] = {
    "connected": "delivered",
    "answered": "answered",
    "abandoned": "no_answer",
    "no_answer": "no_answer",
    "busy": "busy",
    "refused": "refused",
    "failed": "failed",
}
assert set(EVIDENCE) == set(RESULTS) - {"not_called"}
DIALLER = "dialler"
"""The provider of calls that are pushed. What is pulled has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of an entry, for the claim (`attempt`) it was handed out by.

    `talk_seconds`: how long an agent was busy with it, wrap-up included. `callback_at`: when the customer asked to be called again.
    `stop`: the customer wants no more calls.
    """

    entry_id: str
    attempt: int
    result: Result
    talk_seconds: float | None = None
    callback_at: datetime | None = None
    stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a report made of an entry: the delivery's `state` and, where it changed nothing, why.

    `callback`: the entry that keeps the promise of a call back. `refused`: why nothing but a stop was taken from whoever reported.
    """

    entry_id: str
    state: str = ""
    detail: str = ""
    callback: str = ""
    refused: str = ""


def not_theirs(delivery: Delivery, holder: str, by: str) -> str:
    """Why `by` has no say in an entry that `holder` came for; empty when they have. What was pushed is told of by whoever dials for it."""
    if delivery.provider not in {"", DIALLER}:
        return f"{delivery.provider} makes this call, and tells what comes of it"
    if holder not in {"", by}:
        return "somebody else has it: report and extend with the token that pulled it"
    return ""


def begins_before(contact: Contact, now: datetime, lease_ends: datetime) -> datetime:
    """Until when the call may begin: within the hours that are open now, the contact's own time, and the lease."""
    closes = max((span.end for span in contact.permitted if span.start <= now < span.end), default=now)
    return min(closes, contact.not_after, lease_ends)

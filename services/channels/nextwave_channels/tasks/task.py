"""A visit as the account manager's task: what can come of it, and until when it may be held. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from nextwave_contracts.actions import Contact
from nextwave_contracts.outcomes import OutcomeKind

from nextwave_channels.delivery import Delivery

CHANNEL = "visit"
Result = Literal["reached", "not_met", "refused"]
"""How a visit ended: somebody spoke with the customer, nobody was met, or the customer did not want it."""
OUTCOMES: Mapping[Result, OutcomeKind] = {"reached": "answered", "not_met": "no_answer", "refused": "refused"}
RELEASED = "released"
"""What stands in the place of a result when a task was given back undone."""
Stand = Literal["open", "held", "retracted", "overdue", "done", "over"]
"""`held`: somebody has it. `retracted`: somebody has it and must not go any more. `overdue`: held too long, so nobody knows what became
of it. `done`: it was reported. `over`: it ended without a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Who came for a task, for which of its attempts, until when (business time) it is theirs; and what they reported, if they did."""

    action_id: str
    attempt: int
    holder: str
    claimed_at: datetime
    until: datetime
    reported_at: datetime | None = None
    result: str = ""
    note: str = ""
    next_step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a visit. `stop`: the customer wants no more visits. Note and next step never leave this service's database."""

    result: Result
    note: str = ""
    next_step: str = ""
    stop: bool = False


def held_until(contact: Contact, now: datetime, lease: timedelta) -> datetime:
    """A task is held for `lease`, but not longer than the visit may be made."""
    return min(now + lease, contact.not_after)


def stand(delivery: Delivery, holding: Holding | None) -> Stand:
    """How the task stands. A holding counts for the attempt that it was for."""
    if delivery.state == "due":
        return "open"
    if holding is not None and holding.attempt == delivery.attempt and holding.result not in {"", RELEASED}:
        return "done"
    if delivery.state == "sending":
        return "retracted" if delivery.withdrawn_reason else "held"
    return "overdue" if delivery.state == "unknown" else "over"


def is_in_hands(delivery: Delivery, holding: Holding | None, holder: str) -> bool:
    """Whether `holder` may say what came of the task: they came for it last and have not reported, overdue or retracted or not."""
    if holding is None or holding.holder != holder or holding.attempt != delivery.attempt:
        return False
    return holding.reported_at is None and delivery.state != "due"

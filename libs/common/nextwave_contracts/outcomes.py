"""`nextwave.outcomes.v1`: what became of a delivery, in the order in which the channel learned it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from nextwave_contracts.wire import Message

OutcomeKind = Literal[
    "accepted", "delivered", "opened", "clicked", "replied", "answered",
    "refused", "bounced", "no_answer", "busy", "failed", "expired", "withdrawn", "unknown",
]  # fmt: skip
Reach = Literal["reached", "missed", "refused", "failed"]

REACH: dict[str, Reach | None] = {
    "accepted": None,
    "delivered": None,
    "opened": "reached",
    "clicked": "reached",
    "replied": "reached",
    "answered": "reached",
    "refused": "refused",
    "bounced": "missed",
    "no_answer": "missed",
    "busy": "missed",
    "failed": "failed",
    "expired": "failed",
    "withdrawn": "failed",
    "unknown": None,
}
"""How a contact ended, by outcome; None where it has not ended."""

NOT_SENT: frozenset[str] = frozenset({"failed", "expired", "withdrawn"})
"""Outcomes that say nothing was sent, so that caps are given back, as long as none of `CONTACT_MADE` is heard, before or after:
callbacks come in any order, also after a withdrawal or an expiry that came too late."""

CONTACT_MADE: frozenset[str] = frozenset(
    {"delivered", "opened", "clicked", "replied", "answered", "refused", "bounced", "no_answer", "busy"}
)
"""Outcomes that prove an attempt to reach the customer. Acceptance by a provider proves none: it may still fail."""


class Outcome(Message, frozen=True, kw_only=True):
    """One step in the life of a delivery. `id` is unique; `at` is business time at the channel."""

    id: str
    action_id: str
    customer_id: str
    campaign: str
    version: int
    wave: str
    run_id: str
    channel: str
    kind: OutcomeKind
    at: datetime
    detail: str = ""
    cost: int = 0
    currency: str = "EUR"
    segment: str = ""
    """The contact's."""
    taken: bool = False
    """Whether this is the first sign that the provider took the contact: said of a contact at most once, and `cost` is with it."""

    @property
    def reach(self) -> Reach | None:
        """How the contact ended by this outcome, or None while it has not."""
        return REACH[self.kind]

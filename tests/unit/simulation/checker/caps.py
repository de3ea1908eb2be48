"""Counts contacts anew for every cap: over sliding windows, with everybody's who became the customer, without what surely was not sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import CustomersMerged, CustomerUpdated
from nextwave_contracts.decisions import Decision, Rival
from nextwave_contracts.outcomes import CONTACT_MADE, NOT_SENT
from unit.simulation.checker.merges import Merges
from unit.simulation.history import Rules, Step

UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


def span(text: str) -> timedelta:
    """`6h` or `2d`."""
    return int(text[:-1]) * UNITS[text[-1]]


class Counted:
    """Every contact that was decided, by customer, and what the orchestrator has heard of it."""

    def __init__(self) -> None:
        self._merges = Merges()
        self._contacts: dict[str, list[Contact]] = defaultdict(list)
        self._kinds: dict[str, set[str]] = defaultdict(set)

    def follow(self, step: Step, rules: Rules) -> None:
        """Takes in what the step brought to the orchestrator."""
        if step.place != "orchestrator":
            return
        self._merges.follow(step, rules)
        if isinstance(step.took, CustomersMerged):
            for past in step.took.contacts:
                self._kinds[past.action_id].add("failed" if past.unsent else "accepted")
        elif isinstance(step.took, CustomerUpdated) and step.took.outcome is not None:
            self._kinds[step.took.outcome.action_id].add(step.took.outcome.kind)

    def decided(self, contact: Contact) -> None:
        """A contact was decided."""
        self._contacts[contact.customer_id].append(contact)

    def full(self, policy: Mapping[str, Any], wanted: Decision, at: datetime) -> list[Mapping[str, Any]]:
        """The caps that leave no room for such a contact at `at`, itself not counted."""
        covering = [cap for cap in policy["caps"] if self.covers(cap, wanted)]
        return [cap for cap in covering if sum(c.decided_at > at - span(cap["per"]) for c in self.of(cap, wanted)) >= cap["most"]]

    def of(self, cap: Mapping[str, Any], wanted: Decision) -> list[Contact]:
        """What counts for the cap beside this contact: of everybody who is said to be the customer, also from before that was known."""
        decided = (c for member in self._merges.known(wanted.customer_id) for c in self._contacts[member])
        return [c for c in decided if self.covers(cap, c) and self._counts(c) and c.action_id != wanted.action_id]

    def _counts(self, contact: Contact) -> bool:
        kinds = self._kinds[contact.action_id]
        return bool(kinds & CONTACT_MADE) or not kinds & NOT_SENT

    @staticmethod
    def covers(cap: Mapping[str, Any], contact: Contact | Decision | Rival) -> bool:
        """Whether such a contact takes a place in the cap."""
        return cap.get("channel", "") in ("", contact.channel) and cap.get("purpose", "marketing") in ("", contact.purpose)

"""What the topics and the providers' ledger show, gathered message by message; the recount is made from this alone. PURE."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from nextwave_contracts.actions import ActionMessage, Contact, Withdraw
from nextwave_contracts.decisions import Decision, DecisionMessage, GoalReached, RunEnded, RunStarted, WaveClosed
from nextwave_contracts.outcomes import Outcome

Name = tuple[str, str]
"""Source and id of a touchpoint."""

ANSWERS = {"email.opened": "opened", "email.clicked": "clicked", "consent.withdrawn": "unsubscribed"}
"""Touchpoints that are answers to a contact, in the words of the funnel."""


@dataclass(slots=True)
class Evidence:
    """Times are the broker's stamps, milliseconds of the wall clock."""

    touchpoints: dict[Name, float] = field(default_factory=dict)
    """When each touchpoint first stood on its topic."""
    touchpoint_records: int = 0
    taken: Counter[Name] = field(default_factory=Counter)
    """How often scoring said that a touchpoint was taken in; more than once would be a doubled effect."""
    merged: int = 0
    decisions: dict[str, Decision] = field(default_factory=dict)
    contacts: dict[str, tuple[float, Contact]] = field(default_factory=dict)
    doubled: int = 0
    """Decisions, contacts and outcomes that stood on a topic more than once."""
    withdrawn: int = 0
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    runs: dict[str, RunStarted] = field(default_factory=dict)
    waves: list[WaveClosed] = field(default_factory=list)
    run_ends: Counter[str] = field(default_factory=Counter)
    goals: Counter[str] = field(default_factory=Counter)
    dispatches: Counter[str] = field(default_factory=Counter)
    """By action, how often a provider took it on itself."""
    answers: set[tuple[str, str]] = field(default_factory=set)
    """What people did about a contact: its action, and one of the `ANSWERS` or `refused`."""
    rejected: int = 0

    def touchpoint(self, name: Name, at: float) -> None:
        """One record of the touchpoints' topic, which may be a repetition."""
        self.touchpoint_records += 1
        self.touchpoints.setdefault(name, at)

    def answer(self, action_id: str, kind: str, *, refused: bool) -> None:
        """A touchpoint that names the contact it answers."""
        said = "refused" if refused else ANSWERS.get(kind)
        if said:
            self.answers.add((action_id, said))

    def customer(self, kind: str, touchpoint: Name | None) -> None:
        """One message about a customer: of which kind, and the touchpoint that led to it."""
        self.merged += kind == "merged"
        if touchpoint is not None:
            self.taken[touchpoint] += 1

    def dispatch(self, action_id: str, *, accepted: bool) -> None:
        """One line of the providers' ledger."""
        if accepted:
            self.dispatches[action_id] += 1

    def add(self, message: DecisionMessage | ActionMessage | Outcome, at: float) -> None:
        """One message of the decisions', actions' or outcomes' topic."""
        match message:
            case Decision():
                self.doubled += message.decision_id in self.decisions
                self.decisions[message.decision_id] = message
            case Contact():
                self.doubled += message.action_id in self.contacts
                self.contacts[message.action_id] = (at, message)
            case Outcome():
                self.doubled += message.id in self.outcomes
                self.outcomes[message.id] = message
            case Withdraw():
                self.withdrawn += 1
            case RunStarted():
                self.runs[message.run_id] = message
            case WaveClosed():
                self.waves.append(message)
            case RunEnded():
                self.run_ends[message.reason] += 1
            case GoalReached():
                self.goals[message.campaign] += 1

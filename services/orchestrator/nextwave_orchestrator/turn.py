"""One message or timer being taken in for one customer: what is known, what the customer's state becomes, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from msgspec.structs import replace
from nextwave_contracts.actions import ActionMessage
from nextwave_contracts.decisions import DecisionMessage
from nextwave_contracts.outcomes import Outcome

from nextwave_orchestrator.allowances import Leases
from nextwave_orchestrator.catalogue import Catalogue, Facts
from nextwave_orchestrator.decisions import Judged
from nextwave_orchestrator.state import WHOLE, CustomerState, Run

AlarmKind = Literal["close", "retry", "estate", "last_word", "patience", "date", "scheduled", "crossing"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A timer to set for a customer; `about` is a run, or who became part of them.

    `estate`, `retry` and `patience` go by the clock; the others wait until everything received up to `due_at` was taken in.
    """

    kind: AlarmKind
    customer_id: str
    about: str
    due_at: datetime
    payload: bytes = b""


@dataclass(slots=True)
class Turn:
    """`at` is the business instant of the cause (when it was received, or the timer's due time), `now` that of processing."""

    catalogue: Catalogue
    state: CustomerState
    now: datetime
    at: datetime
    caused_by: str
    messages: list[ActionMessage | DecisionMessage] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    contacts: list[Outcome] = field(default_factory=list)
    """Outcomes by which it is known that a provider took a contact."""
    leases: Leases = field(default_factory=Leases)
    """What the partition may still reserve of budgets and capacities."""
    wants: dict[str, str] = field(default_factory=dict)
    """By run, what caused its wave to want a contact. They are decided together, at the turn's end."""

    @property
    def facts(self) -> Facts:
        """What rules are evaluated over, now."""
        assert self.state.profile is not None
        return Facts(self.state.profile, self.state.history, self.now)

    @contextmanager
    def as_of(self, at: datetime, caused_by: str = "") -> Iterator[None]:
        """For what has a business instant, and perhaps a cause, of its own; afterwards the turn's hold again."""
        before = self.at, self.caused_by
        self.at, self.caused_by = at, caused_by or self.caused_by
        yield
        self.at, self.caused_by = before

    def say(self, messages: Sequence[ActionMessage | DecisionMessage]) -> None:
        """Adds messages to publish, in order."""
        self.messages.extend(messages)

    def want(self, run: Run) -> None:
        """The run's wave wants its contact."""
        self.wants[run.run_id] = self.caused_by

    def keep(self, run: Run) -> None:
        """Puts the run's new value into the state, at its place, or at the end when it is new."""
        runs = self.state.runs
        known = any(r.run_id == run.run_id for r in runs)
        self.state = replace(self.state, runs=tuple(run if r.run_id == run.run_id else r for r in runs) if known else (*runs, run))

    def drop(self, run: Run) -> None:
        """Takes the run out of the state."""
        self.state = replace(self.state, runs=tuple(r for r in self.state.runs if r.run_id != run.run_id))

    def wake(self, kind: Literal["close", "retry"], run: Run, due_at: datetime) -> None:
        """Sets a timer for the run."""
        self.alarms.append(Alarm(kind, self.state.customer_id, run.run_id, due_at))

    def put_off(self) -> None:
        """Something waits for the other side of a merge: at the latest when patience ends it is looked at again."""
        if self.state.absorbed_into:
            return
        lacking = (one for one in self.state.joined.values() if one.parts & WHOLE != WHOLE)
        until = max((one.until for one in lacking), default=self.now)
        if until > self.now:
            self.alarms.append(Alarm("patience", self.state.customer_id, "", until))

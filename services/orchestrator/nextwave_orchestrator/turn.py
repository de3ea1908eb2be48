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

from nextwave_orchestrator.catalogue import Catalogue, Facts
from nextwave_orchestrator.decisions import Judged
from nextwave_orchestrator.state import CustomerState, Run


@dataclass(frozen=True, slots=True)
class Alarm:
    """A timer to set for a run: `close` waits until everything received up to it was taken in, `retry` goes by the clock."""

    kind: Literal["close", "retry"]
    run_id: str
    due_at: datetime


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

    @property
    def facts(self) -> Facts:
        """What rules are evaluated over, now."""
        assert self.state.profile is not None
        return Facts(self.state.profile, self.state.history, self.now)

    @contextmanager
    def as_of(self, at: datetime) -> Iterator[None]:
        """For what has a business instant of its own; afterwards the cause's holds again."""
        cause_at, self.at = self.at, at
        yield
        self.at = cause_at

    def say(self, messages: Sequence[ActionMessage | DecisionMessage]) -> None:
        """Adds messages to publish, in order."""
        self.messages.extend(messages)

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
        self.alarms.append(Alarm(kind, run.run_id, due_at))

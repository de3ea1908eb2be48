"""The customers, timers and owners of a few partitions in memory: batches that commit as a whole or, in a crash, not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import Any

from nextwave_contracts.customers import CustomerUpdated, Snapshot
from nextwave_contracts.decisions import RunStarted
from nextwave_contracts.topics import CUSTOMERS, partition_of
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.catalogue_store import TimerKind
from nextwave_orchestrator.fold import Decider, Unit
from nextwave_orchestrator.state import CustomerState, from_bytes, to_bytes
from nextwave_orchestrator.triggers import walk
from nextwave_orchestrator.triggers.pages import WALKS_MAX, Pages
from nextwave_runtime.application import Taken, Timer
from unit.orchestrator.decision_world import MONDAY_NOON

TIMERS_MAX = 7
"""Of one batch; few, so that walks and customers' timers come among each other."""


@dataclass
class Partitions:
    """`crashes`: the share of batches that are lost before they commit."""

    rules: Catalogue
    partitions: int = 2
    crashes: float = 0.0
    chance: Random = field(default_factory=lambda: Random(1))
    now: datetime = MONDAY_NOON
    states: dict[str, bytes] = field(default_factory=dict)
    timers: dict[tuple[int, datetime, str, str], Timer] = field(default_factory=dict)
    said: list[Any] = field(default_factory=list)
    ids: Iterable[int] = field(default_factory=count)
    lost: int = 0
    visited: list[str] = field(default_factory=list)

    def know(self, profile: Snapshot, kind: str = "page.viewed", *, suspect: bool = False, **data: Any) -> None:
        """Something happens, and this is what is known of the customer then."""
        touchpoint = Touchpoint(
            id=f"t{next(iter(self.ids))}",
            source="shop",
            type=kind,
            identifiers=("email:a@b.de",),
            occurred_at=self.now,
            received_at=self.now,
            data=data,
            time_suspect=suspect,
        )
        message = CustomerUpdated(customer_id=profile.customer_id, at=self.now, touchpoint=touchpoint, profile=profile)
        partition = partition_of(profile.customer_id.encode(), self.partitions)
        self._commit(partition, [Taken(CUSTOMERS, partition, 0, self.now, message)])

    def announce(self, kind: TimerKind, campaign: str, *, revision: int | None = None) -> None:
        """As publishing, pausing and resuming do."""
        said = str(self.rules.revision if revision is None else revision) if kind == walk.OPENED else ""
        self._set(Timer(n, self.now, campaign, kind, said.encode()) for n in range(self.partitions))

    def wait(self, until: datetime) -> None:
        """Lets time pass; due timers fire in batches, in due order."""
        while due := [timer for timer in self.timers.values() if timer.due_at <= until]:
            first = min(due, key=lambda timer: timer.due_at)
            self.now = max(self.now, first.due_at)
            self.batch(first.partition)
        self.now = max(self.now, until)

    def batch(self, partition: int) -> None:
        """The next due timers of a partition, by the owner of this moment; lost when it dies before its commit."""
        due = [timer for timer in self.timers.values() if timer.partition == partition and timer.due_at <= self.now]
        due = sorted(due, key=lambda timer: (timer.due_at, timer.key, timer.kind))[:TIMERS_MAX]
        if self.chance.random() < self.crashes:
            due = due[: self.chance.randint(1, TIMERS_MAX)]
            self._fold(partition, due)
            self.lost += 1
            return
        self._commit(partition, due)

    def state(self, customer_id: str) -> CustomerState:
        """What is stored of a customer."""
        return from_bytes(self.states[customer_id])

    @property
    def started(self) -> list[RunStarted]:
        """Every run that began."""
        return [message for message in self.said if isinstance(message, RunStarted)]

    def entries(self) -> list[tuple[str, datetime]]:
        """Who entered, and when."""
        return [(one.customer_id, one.at) for one in self.started]

    def _commit(self, partition: int, items: list[Taken] | list[Timer]) -> None:
        unit, said = self._fold(partition, items)
        for item in items:
            if isinstance(item, Timer):
                del self.timers[item.partition, item.due_at, item.key, item.kind]
        self.states.update({name: to_bytes(unit.states[name]) for name in unit.changed})
        self._set(unit.timers)
        self.said += said

    def _fold(self, partition: int, items: list[Taken] | list[Timer]) -> tuple[Unit, list[Any]]:
        timers = [item for item in items if isinstance(item, Timer)]
        pages: Pages = {(t.key, t.due_at): self._page(partition, t) for t in [t for t in timers if t.kind == walk.WALK][:WALKS_MAX]}
        states = {name: from_bytes(raw) for name, raw in self.states.items()}
        unit = Unit(partition, self.partitions, states, pages=pages)
        decider = Decider(lambda: self.rules)
        return unit, [outgoing.message for item in items for outgoing in decider.fold(unit, item, self.now)]

    def _page(self, partition: int, timer: Timer) -> tuple[str, ...]:
        cursor = walk.walk_of(timer).cursor
        mine = sorted(n for n in self.states if n > cursor and partition_of(n.encode(), self.partitions) == partition)
        self.visited += mine[: walk.PAGE]
        return tuple(mine[: walk.PAGE])

    def _set(self, timers: Iterable[Timer]) -> None:
        for timer in timers:
            self.timers.setdefault((timer.partition, timer.due_at, timer.key, timer.kind), timer)

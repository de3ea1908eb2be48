"""The three services held in memory: the real folds, and of their stores only what a batch loads and saves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from nextwave_channels.delivery import Delivery
from nextwave_channels.delivery import Step as Moved
from nextwave_channels.gate import Fact, Stops, newest
from nextwave_channels.intake import Batch, Intake
from nextwave_channels.store import OUTCOME_TIMER
from nextwave_contracts.actions import Contact, ResumeCampaign, StopCampaign, Withdraw
from nextwave_contracts.holds import Hold
from nextwave_contracts.topics import ACTIONS, CUSTOMERS, HOLDS, OUTCOMES, TOUCHPOINTS, Topic, partition_of
from nextwave_contracts.wire import encode
from nextwave_orchestrator import fold as deciding
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.decisions import Judged
from nextwave_orchestrator.state import from_bytes, to_bytes
from nextwave_runtime.application import Outgoing, Taken, Timer, Work
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.outlook import Only
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Customer, Judge
from nextwave_scoring.fold import Fold, ids_in, names_in
from nextwave_scoring.unit import Unit
from unit.simulation.history import Place
from unit.simulation.ring import PARTITIONS

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Customer).decode


class Scoring:
    """Identifiers, pointers and customers, shared by all partitions."""

    name: Place = "scoring"
    inputs: tuple[Topic, ...] = (TOUCHPOINTS, OUTCOMES)
    timers_on: Topic = TOUCHPOINTS

    def __init__(self) -> None:
        self.customers: dict[str, bytes] = {}
        self.pointers: dict[str, str] = {}
        self._bindings: dict[str, str] = {}
        self._fold = Fold(Judge(Only(Baseline(DEFAULT))))

    def load(self, work: Work) -> Unit:
        """What the batch names, and what that was merged into."""
        unit = Unit(work.partition, PARTITIONS, bindings={name: self._bindings.get(name) for name in names_in(work.taken)})
        for wanted in {bound for bound in unit.bindings.values() if bound} | ids_in(work.taken, work.timers):
            root = wanted
            while root in self.pointers:
                root = unit.pointers.setdefault(root, self.pointers[root])
            if root in self.customers:
                unit.customers[root] = _decode(self.customers[root])
        return unit

    def fold(self, unit: Unit, item: Taken | Timer, now: datetime) -> Iterable[Outgoing]:  # noqa: ARG002  (business time is the item's own)
        """The real fold."""
        return self._fold.take(unit, item)

    def save(self, unit: Unit) -> Sequence[Timer]:
        """Keeps what changed."""
        self.customers.update({name: _encode(unit.customers[name]) for name in unit.changed})
        for name in unit.absorbed:
            self.customers.pop(name, None)
            self.pointers[name] = unit.pointers[name]
        self._bindings.update(unit.bound)
        return unit.timers

    def customer_of(self, name: str) -> str | None:
        """The customer that an identifier was bound to, perhaps absorbed since; None when it is nobody's."""
        return self._bindings.get(name)

    def profiles(self) -> dict[str, Customer]:
        """Every customer as it is now."""
        return {name: _decode(raw) for name, raw in self.customers.items()}


class Orchestrator:
    """Customers' states; `rules` are the owners' as of now."""

    name: Place = "orchestrator"
    inputs: tuple[Topic, ...] = (CUSTOMERS,)
    timers_on: Topic = CUSTOMERS

    def __init__(self, rules: Catalogue, broken: str) -> None:
        self.rules = rules
        self._broken = broken
        self.judged: list[Judged] = []
        self._states: dict[str, bytes] = {}
        self._decider = deciding.Decider(lambda: self.rules)

    def load(self, work: Work) -> deciding.Unit:
        """The states of the customers named."""
        named = {getattr(item.message, "customer_id", "") for item in work.taken} | {deciding.customer_of(timer) for timer in work.timers}
        return deciding.Unit(work.partition, PARTITIONS, {name: from_bytes(self._states[name]) for name in named if name in self._states})

    def fold(self, unit: deciding.Unit, item: Taken | Timer, now: datetime) -> Iterable[Outgoing]:
        """The real fold."""
        return self._decider.fold(unit, item, now)

    def save(self, unit: deciding.Unit) -> Sequence[Timer]:
        """Keeps states and decisions."""
        self._states.update({name: to_bytes(unit.states[name]) for name in unit.changed})
        self.judged.extend(unit.judged)
        return list(self._as_broken(unit.timers))

    def _as_broken(self, timers: Sequence[Timer]) -> Iterator[Timer]:
        """Estates are lost, or somebody's last word is believed before everything was taken in."""
        for timer in timers:
            if timer.kind != "estate" or self._broken != "estate":
                yield replace(timer, gate="clock") if self._broken == timer.kind else timer

    def open_runs(self) -> list[str]:
        """Runs that have not ended."""
        return [run.run_id for raw in self._states.values() for run in from_bytes(raw).runs]


class Channels:
    """Deliveries, facts and stopped campaigns, shared by all partitions and by the dispatchers."""

    name: Place = "channels"
    inputs: tuple[Topic, ...] = (ACTIONS, HOLDS)
    timers_on: Topic = ACTIONS

    def __init__(self) -> None:
        self.deliveries: dict[str, Delivery] = {}
        self.arrive: Callable[[str], None] = lambda _name: None
        """Called with each action that was taken in."""
        self._unsent: dict[str, Delivery] = {}
        self._facts: dict[str, dict[tuple[str, ...], Fact]] = {}
        self._campaigns: dict[str, tuple[datetime, bool]] = {}
        self._intake = Intake(frozenset({"email", "sms"}), lambda _channel: None)

    def load(self, work: Work) -> Batch:
        """What stops can touch, as the store would lock it."""
        messages = [item.message for item in work.taken]
        subjects = {subject for m in messages if isinstance(m, Hold) for subject in m.subjects}
        runs = {(m.customer_id, m.run_id) for m in messages if isinstance(m, Withdraw)}
        turned = {m.campaign for m in messages if isinstance(m, StopCampaign | ResumeCampaign)}
        stopping = {m.campaign for m in messages if isinstance(m, StopCampaign)}

        def is_meant(contact: Contact) -> bool:
            here = contact.campaign in stopping and partition_of(contact.customer_id.encode(), PARTITIONS) == work.partition
            return here or (contact.customer_id, contact.run_id) in runs or not subjects.isdisjoint(contact.subjects)

        meant = {name: d for name, d in self._unsent.items() if not d.withdrawn_reason and is_meant(d.contact)} if messages else {}
        about = subjects | ({s for d in meant.values() for s in d.contact.subjects} if subjects else set())
        return Batch(
            partition=work.partition,
            partitions=PARTITIONS,
            now=work.now,
            existing={m.action_id for m in messages if isinstance(m, Contact) and m.action_id in self.deliveries},
            unsent=meant,
            facts={scope: fact for subject in about for scope, fact in self._facts.get(subject, {}).items()},
            campaigns={name: self._campaigns[name] for name in turned if name in self._campaigns},
        )

    def fold(self, unit: Batch, item: Taken | Timer, now: datetime) -> Iterable[Outgoing]:
        """The real fold."""
        return self._intake.fold(unit, item, now)

    def save(self, unit: Batch) -> Sequence[Timer]:
        """Keeps deliveries, facts and campaigns."""
        for delivery in unit.new.values():
            self._put(delivery)
        for step in unit.steps:
            self._put(step.delivery)
        for name in unit.new:
            self.arrive(name)
        self.put_facts(unit.said.values())
        self._campaigns.update(unit.campaigns)
        return unit.timers

    def put_facts(self, said: Iterable[Fact]) -> None:
        """The newest fact of each scope stands."""
        for fact in said:
            known = self._facts.setdefault(fact.subject, {})
            (known[fact.scope],) = newest([known[fact.scope]] if fact.scope in known else [], [fact])

    def stops(self, contact: Contact) -> Stops:
        """Everything that can stop the contact."""
        facts = {subject: tuple(self._facts.get(subject, {}).values()) for subject in contact.subjects}
        return Stops(facts=facts, campaigns=frozenset(name for name, (_, stopped) in self._campaigns.items() if stopped))

    def queued_for(self, subjects: Iterable[str]) -> list[Delivery]:
        """What a stop of these subjects may still reach."""
        wanted = set(subjects)
        return [d for d in self._unsent.values() if not d.withdrawn_reason and wanted & set(d.contact.subjects)]

    def report(self, step: Moved) -> Timer | None:
        """Keeps a delivery after a step; the timer by which its outcome is published, if it has one."""
        self._put(step.delivery)
        if step.outcome is None:
            return None
        outcome = step.outcome
        return Timer(partition_of(outcome.customer_id.encode(), PARTITIONS), outcome.at, outcome.id, OUTCOME_TIMER, encode(outcome))

    def _put(self, delivery: Delivery) -> None:
        name = delivery.contact.action_id
        self.deliveries[name] = delivery
        if delivery.state in {"due", "sending"}:
            self._unsent[name] = delivery
        else:
            self._unsent.pop(name, None)

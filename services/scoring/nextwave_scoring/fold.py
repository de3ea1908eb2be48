"""The fold: a touchpoint, an outcome or a review in; the customer changed, and what the rest of the ring must know of it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from nextwave_contracts.customers import CustomerAbsorbed, CustomersMerged, CustomerUpdated
from nextwave_contracts.identifiers import INTERNAL, strength
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import CUSTOMERS, partition_of
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import Outgoing, RejectedError, Taken, Timer

from nextwave_scoring import calls, separation, sharing
from nextwave_scoring.customer import Judge, Judgement, due_review
from nextwave_scoring.identity import UnknownCustomerError, resolve
from nextwave_scoring.instants import instant, micros
from nextwave_scoring.profile import bounds, outcomes, touch
from nextwave_scoring.profile.merge import bounded_names, merge
from nextwave_scoring.profile.record import ABSORBED_MAX, Profile
from nextwave_scoring.profile.subjects import subject_of
from nextwave_scoring.profile.view import past_contacts
from nextwave_scoring.rates import Rates
from nextwave_scoring.receipt import received
from nextwave_scoring.rejudging import REJUDGE
from nextwave_scoring.separation import SEPARATED
from nextwave_scoring.unit import Entry, Unit
from nextwave_scoring.value.thresholds import next_taking, take_thresholds

REVIEW, TAKING = "review", "thresholds"
"""Kinds of timers."""
LINKED = "identities.linked"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a touchpoint means, which of its names several customers share, and what finding this out makes known."""

    customer_id: str
    shared: tuple[str, ...] = ()
    messages: tuple[Outgoing, ...] = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """Scoring's decisions, pure: it changes the unit of work and nothing else, and is told the time."""

    judge: Judge
    rates: Rates = field(default_factory=Rates)

    def take(self, unit: Unit, item: Taken | Timer) -> list[Outgoing]:
        """One item of a batch. Raises `RejectedError` for what names no customer."""
        if isinstance(item, Timer):
            return self._timer(unit, item)
        if isinstance(item.message, Outcome):
            return self._outcome(unit, item.message, item.at)
        return self._touchpoint(unit, received(item.message, item.at), item.at)

    def _touchpoint(self, unit: Unit, touchpoint: Touchpoint, at: datetime) -> list[Outgoing]:
        unit.intake[(source_prefix(touchpoint.source), subject_of(touchpoint.type))] += 1
        if touchpoint.type == SEPARATED:
            return self._separate(unit, touchpoint, at)
        call, touchpoint = touchpoint, calls.without_calls(touchpoint)
        meant = self._meant(unit, touchpoint, at)
        joined = [m for other in calls.follow(unit, call, meant.customer_id) for m in self._absorb(unit, meant.customer_id, other, at)]
        customer = unit.customers[meant.customer_id]
        touch.take(customer.profile, touchpoint, self.rates)
        unit.entries.append(_entry(meant.customer_id, touchpoint, at))
        stopped = sharing.hear(unit, touchpoint, meant.shared, meant.customer_id) if meant.shared else []
        judged = self.judge.judge(customer, micros(at), unit.thresholds, micros(touchpoint.occurred_at))
        updated = self._updated(unit, meant.customer_id, judged, touchpoint)
        return [*meant.messages, *joined, updated, *(self._unprompted(unit, other, at) for other in stopped if _was_seen(unit, other))]

    def _outcome(self, unit: Unit, outcome: Outcome, at: datetime) -> list[Outgoing]:
        customer_id = unit.root(outcome.customer_id)
        if customer_id is None:
            raise RejectedError("invalid", f"no customer has the id {outcome.customer_id}")
        if outcome.at > at:  # what claims to be ahead counts for when it came, as of touchpoints
            outcome = msgspec.structs.replace(outcome, at=at)
        customer = unit.customers[customer_id]
        outcomes.take(customer.profile, outcome, self.rates)
        unit.entries.append(separation.entry_of(customer_id, outcome, at))
        return [self._updated(unit, customer_id, self.judge.judge(customer, micros(at), unit.thresholds), outcome)]

    def _separate(self, unit: Unit, touchpoint: Touchpoint, at: datetime) -> list[Outgoing]:
        """Two customers of one. Without all of the timeline the profile stays with the one that remains, and the lines say so."""
        customer_id, halves = separation.halves(unit, touchpoint)
        left_id, customer = separation.new_id(touchpoint), unit.customers[customer_id]
        whole, lines = customer.profile, unit.timeline_of(customer_id)
        if lines is None:
            staying = msgspec.structs.replace(whole, names=list(halves.staying))
            leaving = Profile(names=list(halves.leaving))
        else:
            stay, leave = separation.divide(lines, halves.leaving)
            unit.move(customer_id, leave, left_id)
            staying = separation.folded(stay, halves.staying, self.rates)
            leaving = separation.folded(leave, halves.leaving, self.rates)
        separation.keep_apart(whole, staying, leaving, halves, micros(at))
        left = unit.customer(left_id)
        customer.profile, left.profile, left.version = staying, leaving, customer.version
        for name in halves.leaving:
            unit.bind(name, left_id)
        for one, other in ((customer_id, left_id), (left_id, customer_id)):
            told = {**touchpoint.data, "other_customer": other, "folded_again": lines is not None}
            named = msgspec.structs.replace(touchpoint, identifiers=tuple(unit.customers[one].profile.names[:1]), data=told)
            touch.take(unit.customers[one].profile, named, self.rates)
            unit.entries.append(_entry(one, named, at))
        updated = self._updated(unit, customer_id, self.judge.judge(customer, micros(at), unit.thresholds), touchpoint)
        return [updated, self._unprompted(unit, left_id, at)]

    def _timer(self, unit: Unit, timer: Timer) -> list[Outgoing]:
        """A review that is not the one remembered is stale: another took its place."""
        due = micros(timer.due_at)
        if timer.kind == TAKING:
            return self._take_thresholds(unit, due)
        if timer.kind == REJUDGE:
            known = [each for each in unit.pages[timer.key].ids if each in unit.customers and _was_seen(unit, each)]
            return [message for each in known for message in self._look_again(unit, each, due, heard_of=0)]
        customer = unit.customers.get(timer.key)
        return self._look_again(unit, timer.key, due) if customer and customer.standing.review_at == due else []

    def _look_again(self, unit: Unit, customer_id: str, at: int, heard_of: int | None = None) -> list[Outgoing]:
        """Judges anew without an event; only what changes is said, and the next review is planned.

        `heard_of` 0 after a change of model: whatever the other one said of the band holds nobody in it.
        """
        customer = unit.customers[customer_id]
        judged = self.judge.judge(customer, max(at, customer.profile.last_at), unit.thresholds, heard_of)
        if judged.changes_from(customer.standing):
            return [self._updated(unit, customer_id, judged, None)]
        self._plan_review(unit, customer_id, judged)
        return []

    def _take_thresholds(self, unit: Unit, due: int) -> list[Outgoing]:
        """New thresholds of value from all customers, in force a day later: customers meet them at their next event or review."""
        house = self.judge.house
        newest = unit.thresholds[-1] if unit.thresholds else house.thresholds((), due)
        taken = take_thresholds(house.rule, unit.tallied, due, newest)
        if taken is not None:
            unit.thresholds.append(taken)
            unit.taken.append(taken)
        return []

    def _meant(self, unit: Unit, touchpoint: Touchpoint, at: datetime) -> Meant:
        """The customer meant, made or merged where needed."""
        names, linked = touchpoint.identifiers, touchpoint.type == LINKED
        roots = {name: unit.root_of_name(name) for name in names}
        known = set(roots.values())
        only = known.pop() if len(known) == 1 else None
        if only is not None and not sharing.is_shared(unit, only):
            return Meant(only)
        messages = [] if linked else self._end_sharing(unit, roots, at)
        shared = () if linked else tuple(name for name in names if sharing.is_shared(unit, roots[name]))
        own = {name: root for name, root in roots.items() if name not in shared}
        if not own:
            return Meant(str(roots[min(shared, key=strength)]), shared, tuple(messages))
        try:
            found = resolve(tuple(own), own, unit.known, linked=linked)
        except UnknownCustomerError as unknown:
            raise RejectedError("invalid", str(unknown)) from unknown
        customer = unit.customer(found.customer_id)
        messages += [message for absorbed in found.absorbed for message in self._absorb(unit, found.customer_id, absorbed, at)]
        for name in found.bound:
            unit.bind(name, found.customer_id)
        if found.bound:
            customer.profile.names = bounded_names([*customer.profile.names, *found.bound])
        if linked:
            customer.profile.shared = {name: since for name, since in customer.profile.shared.items() if name not in names}
            customer.profile.sharers = {} if found.bound else customer.profile.sharers  # declared to be that one's, it is no longer shared
        for name in found.shared:
            sharing.begin(unit, name, found.customer_id, touchpoint)
        for name in shared:
            sharing.join(unit, name, found.customer_id, micros(at))
        return Meant(found.customer_id, (*shared, *found.shared), tuple(messages))

    def _end_sharing(self, unit: Unit, roots: dict[str, str | None], at: datetime) -> list[Outgoing]:
        """Names whose sharers turned out to be one customer are that customer's, with all that was named by them alone."""
        messages: list[Outgoing] = []
        for name, holder in roots.items():
            one = sharing.settled(unit, name) if sharing.is_shared(unit, holder) else None
            if one is not None and holder is not None:
                messages += self._absorb(unit, one, holder, at)
                unit.customers[one].profile.shared.pop(name, None)
                roots[name] = one
        return messages

    def _absorb(self, unit: Unit, survivor: str, absorbed: str, at: datetime) -> list[Outgoing]:
        customer, other = unit.customers[survivor], unit.customers.pop(absorbed)
        customer.profile = merge(customer.profile, other.profile)
        customer.profile.absorbed = bounds.newest({**customer.profile.absorbed, absorbed: micros(at)}, ABSORBED_MAX)
        customer.version = max(customer.version, other.version) + 1
        unit.count(other.standing.counted, None)
        unit.pointers[absorbed] = survivor
        unit.absorbed.add(absorbed)
        unit.changed.discard(absorbed)
        unit.changed.add(survivor)
        snapshot = self.judge.snapshot(survivor, customer, self.judge.judge(customer, micros(at), unit.thresholds))
        contacts = past_contacts(other.profile)
        return [
            Outgoing(CUSTOMERS, CustomersMerged(customer_id=survivor, absorbed=absorbed, at=at, profile=snapshot, contacts=contacts)),
            Outgoing(CUSTOMERS, CustomerAbsorbed(customer_id=absorbed, into=survivor, at=at)),
        ]

    def _updated(self, unit: Unit, customer_id: str, judged: Judgement, cause: Touchpoint | Outcome | None) -> Outgoing:
        """What the rest of the ring learns; the judgement stands from now on, and the next review is planned."""
        customer = unit.customers[customer_id]
        customer.version += 1
        updated = CustomerUpdated(
            customer_id=customer_id,
            at=instant(judged.at),
            touchpoint=cause if isinstance(cause, Touchpoint) else None,
            outcome=cause if isinstance(cause, Outcome) else None,
            profile=self.judge.snapshot(customer_id, customer, judged),
            changes=judged.changes_from(customer.standing),
        )
        unit.count(customer.standing.counted, judged.standing.counted)
        customer.standing = judged.standing
        unit.changed.add(customer_id)
        self._plan_review(unit, customer_id, judged)
        return Outgoing(CUSTOMERS, updated)

    def _unprompted(self, unit: Unit, customer_id: str, at: datetime) -> Outgoing:
        """A customer was changed by what somebody else was named by."""
        return self._updated(unit, customer_id, self.judge.judge(unit.customers[customer_id], micros(at), unit.thresholds), None)

    def _plan_review(self, unit: Unit, customer_id: str, judged: Judgement) -> None:
        """Sets the next review unless one that is early enough is set already."""
        due = due_review(judged) or 0
        if due == judged.standing.review_at:
            return
        customer = unit.customers[customer_id]
        customer.standing = msgspec.structs.replace(judged.standing, review_at=due)
        unit.changed.add(customer_id)
        if due:
            partition = partition_of(customer_id.encode(), unit.partitions)
            unit.timers.append(Timer(partition, instant(due), customer_id, REVIEW, gate="clock"))


def taking_after(at: datetime) -> Timer:
    """When thresholds are taken next, by the owner of the first partition."""
    return Timer(0, instant(next_taking(micros(at))), "", TAKING, gate="clock")


def source_prefix(source: str) -> str:
    """What stands before the first slash: the write key's source."""
    return source.partition("/")[0]


def names_in(items: Sequence[Any]) -> list[str]:
    """Every identifier that the touchpoints name, sorted, without Nextwave's own."""
    names: set[str] = set()
    for item in items:
        if isinstance(item.message, Touchpoint):
            names.update(item.message.identifiers)
            if item.message.type == SEPARATED:
                names.update(separation.names_to_leave(item.message))
    return sorted(name for name in names if not name.startswith(INTERNAL))


def separated_in(items: Sequence[Any]) -> set[str]:
    """Names of the customers that touchpoints separate: their timelines are needed whole."""
    return {name for item in items if _separates(item.message) for name in item.message.identifiers}


def ids_in(items: Sequence[Any], timers: Sequence[Timer]) -> set[str]:
    """Every customer id that outcomes, reviews and Nextwave's own identifiers name."""
    ids = {timer.key for timer in timers if timer.kind == REVIEW}
    for item in items:
        if isinstance(item.message, Outcome):
            ids.add(item.message.customer_id)
        else:
            ids.update(n.removeprefix(INTERNAL) for n in item.message.identifiers if n.startswith(INTERNAL))
    return ids


def _separates(message: object) -> bool:
    return isinstance(message, Touchpoint) and message.type == SEPARATED


def _entry(customer_id: str, touchpoint: Touchpoint, at: datetime) -> Entry:
    data = _encode(touchpoint.data)
    return Entry(customer_id, at, touchpoint.source, touchpoint.id, touchpoint.type, data, touchpoint.identifiers, touchpoint.occurred_at)


def _was_seen(unit: Unit, customer_id: str) -> bool:
    """A shared name that nothing came by alone yet is not made known."""
    return unit.customers[customer_id].profile.touchpoints > 0

"""The fold: a touchpoint, an outcome or a review in; the customer changed, and what the rest of the ring must know of it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from nextwave_contracts.customers import CustomerAbsorbed, CustomersMerged, CustomerUpdated
from nextwave_contracts.identifiers import INTERNAL
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import CUSTOMERS, partition_of
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import Outgoing, RejectedError, Taken, Timer

from nextwave_scoring.customer import Customer, Judge, Judgement, due_review
from nextwave_scoring.identity import UnknownCustomerError, resolve
from nextwave_scoring.instants import instant, micros
from nextwave_scoring.profile import outcomes, touch
from nextwave_scoring.profile.merge import bounded_absorbed, bounded_names, merge
from nextwave_scoring.profile.subjects import subject_of
from nextwave_scoring.profile.view import past_contacts
from nextwave_scoring.receipt import received
from nextwave_scoring.unit import Entry, Unit

REVIEW = "review"
LINKED = "identities.linked"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Fold:
    """Scoring's decisions, pure: it changes the unit of work and nothing else, and is told the time."""

    judge: Judge

    def take(self, unit: Unit, item: Taken | Timer) -> list[Outgoing]:
        """One item of a batch. Raises `RejectedError` for what names no customer."""
        if isinstance(item, Timer):
            return self._review(unit, item)
        if isinstance(item.message, Outcome):
            return self._outcome(unit, item.message, item.at)
        return self._touchpoint(unit, received(item.message, item.at), item.at)

    def _touchpoint(self, unit: Unit, touchpoint: Touchpoint, at: datetime) -> list[Outgoing]:
        customer_id, messages = self._meant(unit, touchpoint, at)
        customer = unit.customers[customer_id]
        touch.take(customer.profile, touchpoint)
        unit.intake[(source_prefix(touchpoint.source), subject_of(touchpoint.type))] += 1
        unit.entries.append(Entry(customer_id, at, touchpoint.source, touchpoint.id, touchpoint.type, _encode(touchpoint.data)))
        messages.append(self._updated(unit, customer_id, self.judge.judge(customer, micros(at)), touchpoint))
        return messages

    def _outcome(self, unit: Unit, outcome: Outcome, at: datetime) -> list[Outgoing]:
        customer_id = unit.root(outcome.customer_id)
        if customer_id is None:
            raise RejectedError("invalid", f"no customer has the id {outcome.customer_id}")
        customer = unit.customers[customer_id]
        outcomes.take(customer.profile, outcome)
        detail = {"action_id": outcome.action_id, "campaign": outcome.campaign, "wave": outcome.wave, "detail": outcome.detail}
        source = f"channels/{outcome.channel}"
        unit.entries.append(Entry(customer_id, at, source, outcome.id, f"outcome.{outcome.kind}", _encode(detail)))
        return [self._updated(unit, customer_id, self.judge.judge(customer, micros(at)), outcome)]

    def _review(self, unit: Unit, timer: Timer) -> list[Outgoing]:
        """Judges anew at the due time. A timer that is not the one remembered is stale: another took its place."""
        due = micros(timer.due_at)
        customer = unit.customers.get(timer.key)
        if customer is None or customer.standing.review_at != due:
            return []
        judged = self.judge.judge(customer, due)
        if judged.changes_from(customer.standing):
            return [self._updated(unit, timer.key, judged, None)]
        self._plan_review(unit, timer.key, judged)
        return []

    def _meant(self, unit: Unit, touchpoint: Touchpoint, at: datetime) -> tuple[str, list[Outgoing]]:
        """The customer meant, made or merged where needed, and what a merge makes known."""
        names = touchpoint.identifiers
        roots = {n: unit.root(n.removeprefix(INTERNAL)) if n.startswith(INTERNAL) else unit.root_of_name(n) for n in names}
        known = set(roots.values())
        if len(known) == 1 and None not in known:
            return str(known.pop()), []
        try:
            found = resolve(names, roots, unit.names_of, linked=touchpoint.type == LINKED)
        except UnknownCustomerError as unknown:
            raise RejectedError("invalid", str(unknown)) from unknown
        customer = unit.customers.setdefault(found.customer_id, Customer())
        messages = [message for absorbed in found.absorbed for message in self._absorb(unit, found.customer_id, absorbed, at)]
        if found.bound:
            for name in found.bound:
                unit.bind(name, found.customer_id)
            customer.profile.names = bounded_names([*customer.profile.names, *found.bound])
        return found.customer_id, messages

    def _absorb(self, unit: Unit, survivor: str, absorbed: str, at: datetime) -> list[Outgoing]:
        customer, other = unit.customers[survivor], unit.customers.pop(absorbed)
        customer.profile = merge(customer.profile, other.profile)
        customer.profile.absorbed = bounded_absorbed({**customer.profile.absorbed, absorbed: micros(at)})
        customer.version = max(customer.version, other.version) + 1
        unit.pointers[absorbed] = survivor
        unit.absorbed.add(absorbed)
        unit.changed.discard(absorbed)
        unit.changed.add(survivor)
        snapshot = self.judge.snapshot(survivor, customer, self.judge.judge(customer, micros(at)))
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
        customer.standing = judged.standing
        unit.changed.add(customer_id)
        self._plan_review(unit, customer_id, judged)
        return Outgoing(CUSTOMERS, updated)

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


def source_prefix(source: str) -> str:
    """What stands before the first slash: the write key's source."""
    return source.partition("/")[0]


def names_in(items: Sequence[Any]) -> list[str]:
    """Every identifier that the touchpoints name, sorted, without Nextwave's own."""
    names = {name for item in items if isinstance(item.message, Touchpoint) for name in item.message.identifiers}
    return sorted(name for name in names if not name.startswith(INTERNAL))


def ids_in(items: Sequence[Any], timers: Sequence[Timer]) -> set[str]:
    """Every customer id that outcomes, reviews and Nextwave's own identifiers name."""
    ids = {timer.key for timer in timers}
    for item in items:
        if isinstance(item.message, Outcome):
            ids.add(item.message.customer_id)
        else:
            ids.update(n.removeprefix(INTERNAL) for n in item.message.identifiers if n.startswith(INTERNAL))
    return ids

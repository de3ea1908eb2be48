"""The same history once more: what stood in scoring's logs, in the same order per partition, under other delays, batches and kills."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from msgspec.structs import replace
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.identifiers import strongest
from nextwave_contracts.topics import OUTCOMES, TOUCHPOINTS
from nextwave_scoring.customer import Customer
from unit.simulation.history import Key
from unit.simulation.ring import PARTITIONS, Record, Ring
from unit.simulation.stages import Scoring
from unit.simulation.world import Lived, weather_of

HOUR = timedelta(hours=1)
UNORDERED = frozenset({"absorbed"})
"""Who was met first, and so became part of whom, is the order itself."""


def replayed(lived: Lived, key: Key) -> dict[str, Customer]:
    """The customers that scoring comes to know by what stood in its logs, in the weather of `key`."""
    touchpoints = {n: lived.ring.logs[TOUCHPOINTS.name, n] for n in range(PARTITIONS)}
    start = min(record.at for records in touchpoints.values() for record in records)
    again, scoring = Ring(weather_of(key, start), ""), Scoring()
    again.now = start
    again.add(scoring)
    for n, records in touchpoints.items():
        for record in records:
            again.at(record.at, lambda record=record, n=n: again.append(TOUCHPOINTS, _in_place(record, record.message, n)))  # type: ignore[misc]
    names = _a_name_of_each(lived)
    for n in range(PARTITIONS):
        _append_outcomes(again, scoring, deque(lived.ring.logs.get((OUTCOMES.name, n), ())), names)
    again.run(lived.ring.now)
    return scoring.profiles()


def _a_name_of_each(lived: Lived) -> dict[str, str]:
    """By customer id, a name: ids may differ, since a customer has that of the name by which it was first met."""
    said = (message for step in lived.steps if step.place == "scoring" for message in step.said)
    return {m.customer_id: strongest(m.touchpoint.identifiers) for m in said if isinstance(m, CustomerUpdated) and m.touchpoint}


def _append_outcomes(again: Ring, scoring: Scoring, waiting: deque[Record], names: Mapping[str, str]) -> None:
    """In order, each not before its instant, nor before its customer is known: nobody contacts a stranger."""

    def go_on() -> None:
        while waiting and waiting[0].at <= again.now:
            known = scoring.customer_of(names[waiting[0].message.customer_id])
            if known is None:
                break
            record = waiting.popleft()
            again.append(OUTCOMES, _in_place(record, replace(record.message, customer_id=known), record.partition))
        if waiting:
            again.at(max(waiting[0].at, again.now + HOUR), go_on)

    again.at(again.now, go_on)


def _in_place(record: Record, message: Any, partition: int) -> Record:
    return Record(message, record.at, record.origin, record.place, record.previous, partition)


def differences(one: Mapping[str, Customer], other: Mapping[str, Customer]) -> list[str]:
    """Who and what is not the same, by all names of a customer."""
    left, right = _by_names(one), _by_names(other)
    found = [f"{names} is one customer in one of the two only" for names in left.keys() ^ right.keys()]
    for names in left.keys() & right.keys():
        a, b = left[names], right[names]
        found += [f"{names}: {field} is {a[field]} and {b[field]}" for field in a if a[field] != b[field]]
    return found


def _by_names(customers: Mapping[str, Customer]) -> dict[tuple[str, ...], dict[str, Any]]:
    """What is stored of each customer."""
    return {tuple(sorted(c.profile.names)): _facts(c) for c in customers.values()}


def _facts(customer: Customer) -> dict[str, Any]:
    """Decayed sums as far as their order leaves no trace in them."""
    profile = customer.profile
    stored = {name: msgspec.to_builtins(getattr(profile, name)) for name in profile.__struct_fields__ if name not in UNORDERED}
    stored["counts"] = {key: [f"{value:.9g}" for value in values] for key, values in profile.counts.items()}
    return stored

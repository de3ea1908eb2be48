"""A batch's unit of work: everything the batch can touch, loaded and locked, and everything that it changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from nextwave_runtime.application import Timer

from nextwave_scoring.customer import Customer


class Entry(msgspec.Struct, frozen=True):
    """One line of a customer's timeline; `data` is JSON."""

    customer_id: str
    at: datetime
    source: str
    id: str
    type: str
    data: bytes


@dataclass(slots=True)
class Unit:
    """Filled by the store, changed by the fold, written back by the store."""

    partition: int
    partitions: int
    bindings: dict[str, str | None] = field(default_factory=dict)
    """Identifier to customer as stored; None: known to nobody yet."""
    pointers: dict[str, str] = field(default_factory=dict)
    """Absorbed customer to the one it became part of."""
    customers: dict[str, Customer] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    """Customers that have a row."""
    changed: set[str] = field(default_factory=set)
    absorbed: set[str] = field(default_factory=set)
    bound: dict[str, str] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    intake: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(source without its last parts, subject) of the touchpoints taken in."""

    def root(self, customer_id: str) -> str | None:
        """The customer that an id means now, or None when there is none."""
        while customer_id in self.pointers:
            customer_id = self.pointers[customer_id]
        return customer_id if customer_id in self.customers else None

    def root_of_name(self, name: str) -> str | None:
        """The customer that an identifier is bound to now."""
        bound = self.bindings.get(name)
        return None if bound is None else self.root(bound)

    def names_of(self, customer_id: str) -> Collection[str]:
        """The identifiers of a customer."""
        return self.customers[customer_id].profile.names

    def bind(self, name: str, customer_id: str) -> None:
        """Binds a new identifier."""
        self.bindings[name] = customer_id
        self.bound[name] = customer_id

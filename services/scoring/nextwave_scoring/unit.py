"""A batch's unit of work: everything the batch can touch, loaded and locked, and everything that it changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from nextwave_contracts.identifiers import INTERNAL
from nextwave_runtime.application import Timer

from nextwave_scoring.customer import Customer
from nextwave_scoring.identity import Known
from nextwave_scoring.quantiles import Tally, move
from nextwave_scoring.rejudging import Page
from nextwave_scoring.value.cells import Thresholds


class Entry(msgspec.Struct, frozen=True):
    """One line of a customer's timeline; `data` is JSON."""

    customer_id: str
    at: datetime
    source: str
    id: str
    type: str
    data: bytes
    identifiers: tuple[str, ...] | None = None
    """By which the customer was named; empty for an outcome, None for what a build stored that did not keep them."""
    occurred_at: datetime | None = None


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
    lines: dict[str, list[Entry]] = field(default_factory=dict)
    """The whole stored timeline of customers that are about to be separated; those with too long a one are not here."""
    moved: dict[Entry, str] = field(default_factory=dict)
    """Stored lines, and the customers that they belong to from now on."""
    timers: list[Timer] = field(default_factory=list)
    intake: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(source without its last parts, subject) of the touchpoints taken in."""
    thresholds: list[Thresholds] = field(default_factory=list)
    """Of value, taken from all customers so far, oldest first; none where the house set amounts."""
    tallied: tuple[Tally, Tally] = field(default_factory=lambda: ({}, {}))
    """Current and potential value of all customers, where thresholds are about to be taken."""
    moved_tallies: tuple[Tally, Tally] = field(default_factory=lambda: ({}, {}))
    """What this batch changes of them."""
    pages: dict[str, Page] = field(default_factory=dict)
    """By the id after which each begins, the customers who are due to be judged anew."""
    taken: list[Thresholds] = field(default_factory=list)
    """Thresholds that this batch took."""

    def root(self, customer_id: str) -> str | None:
        """The customer that an id means now, or None when there is none."""
        while customer_id in self.pointers:
            customer_id = self.pointers[customer_id]
        return customer_id if customer_id in self.customers else None

    def customer(self, customer_id: str) -> Customer:
        """The customer with this very id, made where nobody has it. Who was absorbed never comes back: the id means the survivor."""
        if customer_id in self.pointers:
            raise RuntimeError(f"{customer_id} was absorbed and is nobody of their own any more")
        return self.customers.setdefault(customer_id, Customer())

    def root_of_name(self, name: str) -> str | None:
        """The customer that an identifier, or Nextwave's own name for one, means now."""
        if name.startswith(INTERNAL):
            return self.root(name.removeprefix(INTERNAL))
        bound = self.bindings.get(name)
        return None if bound is None else self.root(bound)

    def known(self, customer_id: str) -> Known:
        """What bears on who a customer is."""
        profile = self.customers[customer_id].profile
        return Known(profile.names, profile.apart)

    def count(self, before: tuple[int, int] | None, after: tuple[int, int] | None) -> None:
        """A customer's values went from one pair of buckets to another; None: is not counted."""
        if before == after:
            return
        for place, tally in enumerate(self.moved_tallies):
            move(tally, before and before[place], after and after[place])

    def bind(self, name: str, customer_id: str) -> None:
        """Binds an identifier."""
        self.bindings[name] = customer_id
        self.bound[name] = customer_id

    def timeline_of(self, customer_id: str) -> list[Entry] | None:
        """Everything that was ever taken in of a customer; None when it was not loaded, or not all of it."""
        merged = {a for a in self.absorbed & self.stored if self.root(a) == customer_id and a not in self.lines}
        stored = self.lines.get(customer_id, None if customer_id in self.stored else [])
        if stored is None or merged:
            return None
        return [*stored, *(entry for entry in self.entries if self.root(entry.customer_id) == customer_id)]

    def move(self, customer_id: str, lines: list[Entry], into: str) -> None:
        """Lines of a customer's timeline are another's from now on."""
        leaving = set(lines)
        before = self.lines.get(customer_id, [])
        self.lines[customer_id] = [line for line in before if line not in leaving]
        self.lines[into] = [line for line in before if line in leaving]
        self.moved |= dict.fromkeys(self.lines[into], into)
        self.entries = [msgspec.structs.replace(entry, customer_id=into) if entry in leaving else entry for entry in self.entries]

    def doubtful(self) -> list[str]:
        """Names whose customer gave them away or shares them: read before its lock was had, their binding may be an old one."""
        if not any(customer.profile.apart or customer.profile.shared for customer in self.customers.values()):
            return []
        return [name for name in self.bindings if (root := self.root_of_name(name)) and self._is_doubtful(name, root)]

    def sharers(self) -> set[str]:
        """Everybody who shares a name that is loaded: what stops one through it stops all."""
        return {sharer for customer in self.customers.values() for sharer in customer.profile.sharers}

    def _is_doubtful(self, name: str, root: str) -> bool:
        profile = self.customers[root].profile
        return name in profile.apart or (name in profile.shared and not profile.sharers)

"""Which campaigns each word lets its customer into: at once, or when a merge that is under way has come to its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from nextwave_contracts.customers import CustomerUpdated
from unit.simulation.checker import waves
from unit.simulation.checker.caps import span
from unit.simulation.checker.merges import Merges, customer_of, left_by
from unit.simulation.history import Rules, Step


@dataclass(frozen=True, slots=True)
class Wish:
    """A word that a campaign lets customers in by, and in which step it came. `key` is the matter."""

    n: int
    update: CustomerUpdated
    campaign: str
    key: str


class Entries:
    """Goes through the steps after `merges` has."""

    def __init__(self, merges: Merges) -> None:
        self._merges = merges
        self._waiting: dict[str, list[Wish]] = defaultdict(list)
        self._sent: dict[str, list[list[Wish]]] = defaultdict(list)
        """By an absorbed customer, what is put off in each part of what they left."""
        self._entered: dict[tuple[str, str, str], datetime] = {}

    def of(self, n: int, step: Step, rules: Rules) -> list[Wish]:
        """Exactly those that begin a run in this step of the orchestrator."""
        customer, took = customer_of(step.took), step.took
        if left_by(took):
            _, absorbed, part = took.key.split("/")
            self._waiting[customer] += self._sent[absorbed][int(part)]
        wishes = list(_wishes(n, took, rules)) if isinstance(took, CustomerUpdated) else []
        if self._merges.waits(customer):
            self._waiting[customer] += wishes
            if len(self._sent[customer]) < self._merges.parts(customer):
                self._sent[customer].append(self._waiting.pop(customer))
            return []
        put_off = sorted(self._waiting.pop(customer, []), key=lambda wish: wish.update.at)
        return list(self._let_in(customer, [*put_off, *wishes], rules))

    def _let_in(self, customer: str, wishes: list[Wish], rules: Rules) -> Iterator[Wish]:
        """By the rules of entry and re-entry, over all who became part of the customer."""
        for wish in wishes:
            if wish.campaign not in rules.live:
                continue
            entered = [self._entered.get((member, wish.campaign, wish.key)) for member in self._merges.members(customer)]
            last = max((at for at in entered if at is not None), default=None)
            again = rules.campaigns[wish.campaign, rules.live[wish.campaign]]["entry"].get("reentry")
            if last is None or (again and wish.update.at >= last + span(again["after"])):
                self._entered[customer, wish.campaign, wish.key] = wish.update.at
                yield wish


def _wishes(n: int, update: CustomerUpdated, rules: Rules) -> Iterator[Wish]:
    return (Wish(n, update, campaign, key) for campaign, key in waves.let_in(rules, update))

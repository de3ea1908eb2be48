"""Who has become part of whom, as far as the orchestrator's customers have heard it: from profiles, and from what the absorbed left."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from nextwave_contracts.customers import CustomerAbsorbed, CustomersMerged, CustomerUpdated
from unit.simulation.checker import waves
from unit.simulation.history import Rang, Rules, Step


def customer_of(took: Any) -> str:
    """Whom something that was taken in is about; an estate is about the heir."""
    return took.key.split("/")[0] if isinstance(took, Rang) else getattr(took, "customer_id", "")


def left_by(took: Any) -> str:
    """Whose estate it is; empty for what is none."""
    return took.key.split("/")[1] if isinstance(took, Rang) and took.kind == "estate" else ""


def _leaves_something(took: Any, rules: Rules) -> bool:
    """Whether it says anything of an absorbed customer that their heir must know."""
    match took:
        case CustomerUpdated():
            return took.touchpoint is not None or took.outcome is not None or any(True for _ in waves.let_in(rules, took))
        case CustomersMerged():
            return bool(took.contacts)
        case Rang():
            return took.kind in {"estate", "last_word"}
        case _:
            return isinstance(took, CustomerAbsorbed)


class Merges:
    """Follows the steps. An absorbed customer, what they left, and word of them may come to their heir in any order."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        """Absorbed, and aware of it."""
        self._told: dict[str, set[str]] = defaultdict(set)
        self._held: dict[str, set[str]] = defaultdict(set)
        self._sent: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = defaultdict(list)
        """By an absorbed customer, who was part of them with each part of what they left."""

    def follow(self, step: Step, rules: Rules) -> None:
        """Takes a step of the orchestrator in."""
        customer, took = customer_of(step.took), step.took
        if isinstance(took, CustomersMerged | CustomerUpdated) and customer not in self.gone:
            self._told[customer].update(took.profile.absorbed, {took.absorbed} if isinstance(took, CustomersMerged) else ())
        elif isinstance(took, CustomerAbsorbed):
            self.gone.add(customer)
        elif isinstance(took, Rang) and left_by(took):
            self._inherit(customer, left_by(took), int(took.key.split("/")[2]))
        if customer in self.gone and _leaves_something(took, rules):
            self._sent[customer].append((frozenset(self._told[customer]), frozenset(self._held[customer])))

    def _inherit(self, heir: str, absorbed: str, part: int) -> None:
        told, held = self._sent[absorbed][part]
        self._held[heir] |= held | {absorbed}
        self._told[heir] |= told | held

    def parts(self, absorbed: str) -> int:
        """In how many parts an absorbed customer has left what they had, so far."""
        return len(self._sent[absorbed])

    def waits(self, customer: str) -> bool:
        """Whether somebody is only half part of this customer yet, or the customer is another's part."""
        return customer in self.gone or self._told[customer] != self._held[customer]

    def members(self, customer: str) -> set[str]:
        """All whose past the customer has."""
        return {customer} | self._held[customer]

    def known(self, customer: str) -> set[str]:
        """All who are said to be this customer."""
        return self.members(customer) | self._told[customer]

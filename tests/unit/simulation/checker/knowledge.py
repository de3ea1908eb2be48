"""What the orchestrator could know of a customer at each step: the touchpoints behind the newest profile that had reached it."""

from __future__ import annotations

from collections import defaultdict

from nextwave_contracts.customers import CustomersMerged, CustomerUpdated
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from unit.simulation.checker.facts import Ended, Heard, Joined, Told
from unit.simulation.history import Rules, Step


class Knowledge:
    """Follows the steps. `rules` are the owners' documents in force."""

    def __init__(self) -> None:
        self.rules: Rules
        self._heard: dict[str, Heard] = defaultdict(tuple)
        self._by_version: dict[tuple[str, int], Heard] = {}
        self._known: dict[str, int] = defaultdict(int)

    def follow(self, step: Step) -> None:
        """Takes a step in, before what it said is judged."""
        if isinstance(step.took, Rules):
            self.rules = step.took
        elif step.place == "scoring":
            self._scored(step)
        elif step.place == "orchestrator" and isinstance(step.took, CustomerUpdated | CustomersMerged):
            customer = step.took.customer_id
            self._known[customer] = max(self._known[customer], step.took.profile.version)

    def of(self, customer: str) -> Heard:
        """All that the orchestrator can know of a customer now."""
        return self._by_version.get((customer, self._known[customer]), ())

    def _scored(self, step: Step) -> None:
        for message in step.said:
            if isinstance(message, CustomersMerged):
                self._add(message, Joined(self._heard.pop(message.absorbed, ())))
            elif isinstance(message, CustomerUpdated):
                self._add(message, _cause(step))

    def _add(self, message: CustomersMerged | CustomerUpdated, item: Told | Ended | Joined | None) -> None:
        customer = message.customer_id
        self._heard[customer] += () if item is None else (item,)
        self._by_version[customer, message.profile.version] = self._heard[customer]


def _cause(step: Step) -> Told | Ended | None:
    if isinstance(step.took, Touchpoint):
        assert step.at is not None
        return Told(step.took, step.at)
    return Ended(step.took) if isinstance(step.took, Outcome) else None

"""Customers in memory between batches, for tests of the fold: the real fold, and of the store only what it keeps."""

from __future__ import annotations

from typing import Any

import msgspec
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import Timer
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.outlook import Only
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Customer, Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.unit import Unit

from .making import RATES, taken

PARTITIONS = 4


class Ledger:
    """Customers in memory between batches, as the store keeps them: bytes, pointers, bindings, timers."""

    def __init__(self) -> None:
        self.fold = Fold(Judge(Only(Baseline(DEFAULT))), RATES)
        self.unit = Unit(0, PARTITIONS)
        self.timers: list[Timer] = []

    def take(self, *items: Any) -> list[Any]:
        """One batch; the messages it caused."""
        self.unit.customers = {i: msgspec.msgpack.decode(msgspec.msgpack.encode(c), type=Customer) for i, c in self.unit.customers.items()}
        messages = [out.message for item in items for out in self.fold.take(self.unit, item)]
        self.timers += self.unit.timers
        self.unit.timers.clear()
        return messages

    def see(self, *seen: Touchpoint) -> list[Any]:
        return self.take(*(taken(t) for t in seen))

    def profile(self, name: str) -> Profile:
        """Of the customer that a name means now."""
        root = self.unit.root_of_name(name)
        assert root is not None
        return self.unit.customers[root].profile

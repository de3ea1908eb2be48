"""What an export holds, told before anything is learned from it: how much, from when to when, and what looks wrong. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches

from nextwave_contracts.touchpoints import TOUCHPOINT_TYPES, Touchpoint
from nextwave_scoring.profile.orders import currency_of

SHOWN = 5
OUTER = 0.005
"""Where the history is more than twice as long as without this share at either end, a few dates make it long."""


@dataclass(slots=True)
class Account:
    """Touchpoints by customer, each id once."""

    by_customer: dict[str, list[Touchpoint]] = field(default_factory=lambda: defaultdict(list))
    rows: int = 0
    _ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _types: Counter[str] = field(default_factory=Counter)
    _unvalued: Counter[str] = field(default_factory=Counter)
    _currencies: Counter[str] = field(default_factory=Counter)
    _instants: list[datetime] = field(default_factory=list)

    def take(self, touchpoint: Touchpoint) -> None:
        """A row; one whose id its customer had before is counted and left out."""
        self.rows += 1
        customer = touchpoint.identifiers[0]
        if touchpoint.id in self._ids[customer]:
            return
        self._ids[customer].add(touchpoint.id)
        self.by_customer[customer].append(touchpoint)
        self._types[touchpoint.type] += 1
        self._instants.append(touchpoint.occurred_at)
        if touchpoint.type == "order.placed":
            self._look_at_money(touchpoint)

    def told(self) -> Iterator[str]:
        """What was read in one line, and a line for each thing that looks wrong."""
        instants = sorted(self._instants)
        kept = len(instants)
        yield (
            f"{self.rows} rows: {kept} touchpoints of {len(self.by_customer)} customers, {instants[0]:%Y-%m-%d} to {instants[-1]:%Y-%m-%d}"
            f"; {self.rows - kept} repeated; {_most(self._types)}"
        )
        strange = Counter({kind: many for kind, many in self._types.items() if kind not in TOUCHPOINT_TYPES})
        if strange:
            yield f"warning: these types have no built-in meaning and only end a silence: {_most(strange)}; {_meant(strange)}"
        if self._unvalued:
            yield f"warning: of {self._types['order.placed']} orders some count without their money: {_most(self._unvalued)}"
        if len(self._currencies) > 1:
            yield f"warning: spending is learned from each customer's most frequent currency alone: {_most(self._currencies)}"
        early, late = instants[int(kept * OUTER)], instants[-1 - int(kept * OUTER)]
        if (instants[-1] - instants[0]) > 2 * (late - early):
            days = f"{early:%Y-%m-%d} to {late:%Y-%m-%d}"
            yield f"warning: nearly everything happened from {days}; is a date wrong? The windows are cut by all of it"

    def _look_at_money(self, order: Touchpoint) -> None:
        amount, currency = order.data.get("amount"), currency_of(order.data, "")
        if amount is None:
            self._unvalued["without an amount"] += 1
        elif int(amount) < 0:
            self._unvalued["with a negative amount (what is given back is order.returned)"] += 1
        elif not currency:
            self._unvalued["without a currency (three letters, ISO 4217)"] += 1
        else:
            self._currencies[currency] += 1


def _most(counts: Counter[str]) -> str:
    shown = ", ".join(f"{many} {kind:.80}" for kind, many in counts.most_common(SHOWN))
    return shown + (f" and {len(counts) - SHOWN} others" if len(counts) > SHOWN else "")


def _meant(strange: Counter[str]) -> str:
    for kind, _ in strange.most_common(SHOWN):
        if near := get_close_matches(kind.lower().replace(" ", ".").replace("_", "."), TOUCHPOINT_TYPES, 1):
            return f"did you mean {near[0]}?"
    return "docs/touchpoints.md lists those that have one"

"""Builders of the parts of a profile that value, stage, cause, relationship and economics read, without any history behind them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nextwave_scoring.instants import DAY
from nextwave_scoring.profile import decay
from nextwave_scoring.profile.days import Days
from nextwave_scoring.profile.decay import Counts
from nextwave_scoring.profile.record import Contract, Matter

ZERO = 20_000
"""Day 0 of these facts, counted from 1970."""


@dataclass
class Facts:
    """What a profile would hold."""

    first_at: int = 0
    active_at: int = 0
    first_order_at: int = 0
    last_order_at: int = 0
    landmark: int = ZERO
    counts: Counts = field(default_factory=dict)
    visits: Days = field(default_factory=Days)
    purchases: Days = field(default_factory=Days)
    converted: list[int] = field(default_factory=list)
    categories: dict[str, list[int]] = field(default_factory=dict)
    hints: dict[str, list[int]] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    matters: dict[str, Matter] = field(default_factory=dict)
    soothed_at: int = 0
    soured_at: int = 0
    referrals: int = 0
    acquisition_cost: int = 0
    contact_costs: int = 0


def on(day: float) -> int:
    """The instant of a day of these facts, microseconds."""
    return round((ZERO + day) * DAY)


def days(*those: int) -> Days:
    """These days marked."""
    marked = Days()
    for day in those:
        marked.mark(ZERO + day)
    return marked


def fresh(**times: int) -> Counts:
    """Decayed counts of what happened so often on day 0; `sent_email` is the key `sent.email`."""
    counts: Counts = {}
    for key, number in times.items():
        decay.add(counts, key.replace("_", "."), decay.weights(ZERO, on(0)), number)
    return counts


def buyer(ordered: Iterable[int], *, visited: Iterable[int] = (), amount: int = 6_000, margin: int | None = None) -> Facts:
    """Somebody who ordered for `amount` on each of these days (margin stated where given), and came on the others."""
    ordered = sorted(ordered)
    came = sorted({*ordered, *visited})
    count, revenue = len(ordered), len(ordered) * amount
    stated = (count * margin, 0) if margin is not None else (0, revenue)
    return Facts(
        first_at=on(came[0]), active_at=on(came[-1]), visits=days(*came), purchases=days(*ordered), converted=[count, revenue, 0, *stated],
        first_order_at=on(ordered[0]) if ordered else 0, last_order_at=on(ordered[-1]) if ordered else 0,
    )  # fmt: skip

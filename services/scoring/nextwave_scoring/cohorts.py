"""Tables over many customers, by the month they began in or by where they stand: plain sums, so rows may come in any grouping and order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
from nextwave_contracts.customers import Cause

from nextwave_scoring.causes import CAUSES, Loss, judge_loss
from nextwave_scoring.economics import UnitEconomics
from nextwave_scoring.instants import instant

Dimension = Literal["cohort", "band", "stage", "cell", "pattern", "cause"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Customers that are alike in every dimension, and their sums; one customer is a row too."""

    cohort: str = ""
    """Month of the first order, or of the first touchpoint while there is none: `2026-01`."""
    band: str = ""
    stage: str = ""
    cell: str = ""
    pattern: str = ""
    """Empty while the relationship goes on."""
    cause: Cause = "unknown"
    """The likeliest cause; only of the lost does it count as the cause of a loss."""
    economics: UnitEconomics = UnitEconomics()


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table; money in minor units, shares 0..1."""

    key: str
    customers: int
    revenue: int
    margin: int
    acquisition: int
    direct: int
    indirect: int
    net: int
    lost: int
    """Customers in band `lost`."""
    lost_share: float
    loss: Loss
    """The lost by cause, and whether that is normal."""


def cohort_of(first_order_at: int, first_at: int) -> str:
    """The cohort of a customer, from instants in microseconds (0: none): `YYYY-MM` in UTC, empty when neither is known."""
    began = first_order_at or first_at
    return month(instant(began)) if began else ""


def month(at: datetime) -> str:
    """`YYYY-MM`."""
    return f"{at.year:04}-{at.month:02}"


def table(rows: Iterable[Row], by: Dimension) -> tuple[Line, ...]:
    """One line per value of `by` that occurs, sorted."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(getattr(row, by), []).append(row)
    return tuple(_line(key, group) for key, group in sorted(groups.items()))


def whole(rows: Iterable[Row]) -> Line:
    """All rows in one line; its sums are those of the lines of any table of the same rows."""
    return _line("all", list(rows))


def _line(key: str, rows: list[Row]) -> Line:
    sums = UnitEconomics()
    lost: dict[Cause, int] = dict.fromkeys(CAUSES, 0)
    for row in rows:
        sums = sums.plus(row.economics)
        if row.band == "lost":
            lost[row.cause] += row.economics.customers
    gone = sum(lost.values())
    return Line(
        key=key,
        customers=sums.customers,
        revenue=sums.revenue,
        margin=sums.margin,
        acquisition=sums.acquisition,
        direct=sums.direct,
        indirect=sums.indirect,
        net=sums.net,
        lost=gone,
        lost_share=gone / sums.customers if sums.customers else 0.0,
        loss=judge_loss(lost),
    )

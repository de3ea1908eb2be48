"""Unit economics: what one customer has cost and earned so far, to the cent, and the same for any number of customers together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from nextwave_scoring.earnings import Earnings, earnings


class Costing(Protocol):
    """The part of a profile that is read here; minor units of the house currency."""

    converted: list[int]
    acquisition_cost: int
    contact_costs: int


class UnitEconomics(msgspec.Struct, frozen=True):
    """Sums so far, of one customer or of many, minor units."""

    customers: int = 0
    revenue: int = 0
    margin: int = 0
    acquisition: int = 0
    direct: int = 0
    """What our contacts cost."""
    indirect: int = 0
    """Their loading with what cannot be booked to a contact."""

    @property
    def net(self) -> int:
        """What is left."""
        return self.margin - self.acquisition - self.direct - self.indirect

    def plus(self, other: UnitEconomics) -> UnitEconomics:
        """Both together; the nets add up exactly."""
        return UnitEconomics(*(a + b for a, b in zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)))


def unit_economics(profile: Costing, margin_share: float, loading_share: float) -> UnitEconomics:
    """One customer's. `margin_share` is for orders that state no margin; `loading_share` is indirect per direct cost."""
    return of_earnings(earnings(profile.converted, margin_share), profile, loading_share)


def of_earnings(earned: Earnings, profile: Costing, loading_share: float) -> UnitEconomics:
    """The same where it is known already what the customer has brought in."""
    return UnitEconomics(
        customers=1,
        revenue=earned.revenue,
        margin=earned.margin,
        acquisition=profile.acquisition_cost,
        direct=profile.contact_costs,
        indirect=round(profile.contact_costs * loading_share),
    )


def together(units: Iterable[UnitEconomics]) -> UnitEconomics:
    """The sums of all."""
    whole = UnitEconomics()
    for unit in units:
        whole = whole.plus(unit)
    return whole


def loaded(units: Sequence[UnitEconomics], pool: int) -> list[UnitEconomics]:
    """The same with a known `pool` (minor units, 0 or more) of indirect cost shared out by direct cost, instead of a loading."""
    parts = shared_out(pool, [unit.direct for unit in units])
    return [msgspec.structs.replace(unit, indirect=part) for unit, part in zip(units, parts, strict=True)]


def shared_out(total: int, weights: Sequence[int]) -> list[int]:
    """`total` (0 or more) in whole parts by `weights` (0 or more), adding up exactly: the largest remainders get what is left over.

    Of equal remainders the first; evenly where no weight is above 0. Raises `ValueError` when there is nobody to share among.
    """
    if not weights:
        if total:
            raise ValueError("there is nobody to share among")
        return []
    by = weights if any(weights) else [1] * len(weights)
    whole = sum(by)
    parts = [total * weight // whole for weight in by]
    remainders = sorted(range(len(by)), key=lambda i: (-(total * by[i] % whole), i))
    for i in remainders[: total - sum(parts)]:
        parts[i] += 1
    return parts

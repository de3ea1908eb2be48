"""What a customer has brought in so far, in one currency: the sums that value, stage and unit economics all start from."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Earnings(msgspec.Struct, frozen=True):
    """Sums over the whole history, minor units of the house currency."""

    orders: int = 0
    revenue: int = 0
    """What was ordered less what was given back; never below 0."""
    margin: int = 0
    """The margin of that revenue."""


def earnings(converted: Sequence[int], margin_share: float) -> Earnings:
    """From `[orders, revenue, given back, stated margin, revenue without a stated margin]`; empty when nothing was ordered.

    Where no margin was stated it is `margin_share` (0..1) of the revenue. What was given back takes the customer's mean margin with it.
    """
    if not converted:
        return Earnings()
    orders, ordered, given_back, stated, unstated = converted
    gross = stated + round(unstated * margin_share)
    kept = max(ordered - given_back, 0)
    return Earnings(orders, kept, _scaled(gross, kept, ordered) if ordered > 0 else gross)


def _scaled(amount: int, part: int, whole: int) -> int:
    """`amount * part / whole`, a half rounded up, exact for integers of any size."""
    return (2 * amount * part + whole) // (2 * whole)

"""Orders as they are told: one that is known by its id counts once, as the first telling that names money has it, whoever tells it.

A reloaded page and a shop that posts what its page has told already are the same order, and an order that is cancelled and refunded is
taken back once: never more of it than it brought. The newest `SALES_MAX` are remembered, and as many that were taken back: while there
are no more, the sums are the same in any order of reading; one that is older and is told again counts again.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from nextwave_contracts.touchpoints import Touchpoint

from nextwave_scoring.instants import DAY
from nextwave_scoring.profile import orders
from nextwave_scoring.profile.days import Days
from nextwave_scoring.profile.record import SALES_MAX, Profile, Sale, first_of
from nextwave_scoring.rates import Rates

_ID_MAX = 256


def placed(profile: Profile, touchpoint: Touchpoint, at: int, rates: Rates) -> None:
    """An order. Its `margin` (minor units, may be a loss) is used where the source states it; categories count whoever tells them."""
    data = touchpoint.data
    sale = orders.sale_of(data, at, rates)
    profile.first_order_at = first_of(profile.first_order_at, at)
    orders.bought(profile, data, at)
    if key := _key(data):
        _known(profile, key, sale)
    else:
        orders.count(profile, sale)
        _mark(profile, at)
        if profile.sales:
            _mark_lasting(profile, at)


def given_back(profile: Profile, touchpoint: Touchpoint, at: int, rates: Rates) -> None:
    """An order was cancelled or sent back, wholly or in part."""
    returned = orders.returned_of(touchpoint.data, at, rates)
    if key := _key(touchpoint.data):
        _count(profile, profile, key, -1)
        before = profile.returned.get(key)
        profile.returned[key] = orders.returned_together(before, returned) if before else returned
        _count(profile, profile, key)
        _bound_returned(profile)
    else:
        orders.give_back(profile, returned)


def merge(merged: Profile, a: Profile, b: Profile) -> None:
    """Orders of both, after their sums were added: what both know is taken off once."""
    for profile in (a, b):
        days, last_at = (profile.lasting_days, profile.lasting_at) if profile.sales else (profile.purchases, profile.last_order_at)
        merged.lasting_days = merged.lasting_days.merged(days)
        merged.lasting_at = max(merged.lasting_at, last_at)
    merged.sales = {**a.sales, **{key: min(sale, a.sales.get(key, sale), key=_rank) for key, sale in b.sales.items()}}
    merged.returned = {**a.returned, **b.returned}
    for key in a.returned.keys() & b.returned.keys():
        merged.returned[key] = orders.returned_together(a.returned[key], b.returned[key])
    for key in (a.sales.keys() | a.returned.keys()) & (b.sales.keys() | b.returned.keys()):
        _count(merged, a, key, -1)
        _count(merged, b, key, -1)
        _count(merged, merged, key)
    _bound(merged)
    _bound_returned(merged)
    _stand(merged)
    if not merged.sales:
        merged.lasting_days, merged.lasting_at = Days(), 0


def _known(profile: Profile, key: str, sale: Sale) -> None:
    before = profile.sales.get(key)
    if before is not None and _rank(before) <= _rank(sale):
        return
    if not profile.sales:
        profile.lasting_days, profile.lasting_at = profile.purchases.merged(Days()), profile.last_order_at
    _count(profile, profile, key, -1)
    profile.sales[key] = sale
    _count(profile, profile, key)
    _bound(profile)
    if before is None:
        _mark(profile, sale.at)
    else:
        _stand(profile)


def _rank(sale: Sale) -> tuple[bool, Sale]:
    """The lowest counts: a page may tell the order before anybody tells its money."""
    return not sale.amount, sale


def _count(sums: Profile, known: Profile, key: str, times: int = 1) -> None:
    """Adds to the sums all that is known of an order, or takes it off again (-1)."""
    sale, returned = known.sales.get(key), known.returned.get(key)
    if sale is not None:
        orders.count(sums, sale, times)
    if returned is not None:
        orders.give_back(sums, returned, sale, times)


def _bound(profile: Profile) -> None:
    """Beyond `SALES_MAX` the oldest become orders like those without an id."""
    if len(profile.sales) > SALES_MAX:
        newest = sorted(profile.sales, key=lambda key: (-profile.sales[key].at, key))
        for key in newest[SALES_MAX:]:
            _mark_lasting(profile, profile.sales.pop(key).at)
            profile.returned.pop(key, None)


def _bound_returned(profile: Profile) -> None:
    """Beyond `SALES_MAX` the sums keep what is known of the one that was taken back longest ago."""
    if len(profile.returned) > SALES_MAX:
        newest = sorted(profile.returned, key=lambda key: (-profile.returned[key].at, key))
        profile.returned = {key: profile.returned[key] for key in newest[:SALES_MAX]}


def _stand(profile: Profile) -> None:
    """Tells the days of orders and the last one from what is remembered."""
    profile.purchases, profile.last_order_at = profile.lasting_days.merged(Days()), profile.lasting_at
    for sale in profile.sales.values():
        _mark(profile, sale.at)


def _mark(profile: Profile, at: int) -> None:
    profile.purchases.mark(at // DAY)
    profile.last_order_at = max(profile.last_order_at, at)


def _mark_lasting(profile: Profile, at: int) -> None:
    profile.lasting_days.mark(at // DAY)
    profile.lasting_at = max(profile.lasting_at, at)


def _key(data: Mapping[str, Any]) -> str:
    """A short hash of the order's id; empty where it has none."""
    value = data.get("order_id")
    told = str(value).strip()[:_ID_MAX] if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return blake2b(told.encode(), digest_size=6).hexdigest() if told else ""

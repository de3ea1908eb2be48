"""Orders as they are told: one that is known by its id counts once, as it was told to have happened first, whoever tells it how often.

A reloaded page and a shop that posts what its page has told already are the same order. The newest `SALES_MAX` are remembered: while
there are no more, the sums are the same in any order of reading; one that is older and is told again counts again.
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


def merge(merged: Profile, a: Profile, b: Profile) -> None:
    """Orders of both, after their sums were added: what both know is taken off once."""
    for profile in (a, b):
        days, last_at = (profile.lasting_days, profile.lasting_at) if profile.sales else (profile.purchases, profile.last_order_at)
        merged.lasting_days = merged.lasting_days.merged(days)
        merged.lasting_at = max(merged.lasting_at, last_at)
    merged.sales = {**a.sales, **{key: min(sale, a.sales.get(key, sale)) for key, sale in b.sales.items()}}
    for key in a.sales.keys() & b.sales.keys():
        orders.count(merged, max(a.sales[key], b.sales[key]), -1)
    _bound(merged)
    _stand(merged)
    if not merged.sales:
        merged.lasting_days, merged.lasting_at = Days(), 0


def _known(profile: Profile, key: str, sale: Sale) -> None:
    before = profile.sales.get(key)
    if before is not None and before <= sale:
        return
    if not profile.sales:
        profile.lasting_days, profile.lasting_at = profile.purchases.merged(Days()), profile.last_order_at
    profile.sales[key] = sale
    orders.count(profile, sale)
    _bound(profile)
    if before is None:
        _mark(profile, sale.at)
    else:
        orders.count(profile, before, -1)
        _stand(profile)


def _bound(profile: Profile) -> None:
    """Beyond `SALES_MAX` the oldest become orders like those without an id."""
    if len(profile.sales) > SALES_MAX:
        newest = sorted(profile.sales, key=lambda key: (-profile.sales[key].at, key))
        for key in newest[SALES_MAX:]:
            _mark_lasting(profile, profile.sales.pop(key).at)


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

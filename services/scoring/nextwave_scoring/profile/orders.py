"""Orders: exact sums per currency, the same in the house currency at the rate of the day, and the categories that were bought from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nextwave_contracts.touchpoints import Touchpoint

from nextwave_scoring.instants import DAY
from nextwave_scoring.profile import bounds
from nextwave_scoring.profile.record import CATEGORIES_MAX, Profile, first_of
from nextwave_scoring.rates import Rates

Data = Mapping[str, Any]
AMOUNT_MAX = 2**50
_ORDERS, _REVENUE, _GIVEN_BACK, _MARGIN, _UNSTATED = range(5)
"""Places in `Profile.converted`."""
_ITEMS_MAX = 100
_CATEGORY_MAX = 40


def placed(profile: Profile, touchpoint: Touchpoint, at: int, rates: Rates) -> None:
    """An order. Its `margin` (minor units, may be a loss) is used where the source states it."""
    data = touchpoint.data
    currency, amount = currency_of(data), amount_of(data, "amount")
    sums = profile.orders.setdefault(currency, [0, 0, 0])
    sums[0] += 1
    sums[1] += amount
    profile.first_order_at = first_of(profile.first_order_at, at)
    profile.last_order_at = max(profile.last_order_at, at)
    profile.purchases.mark(at // DAY)
    margin = _margin(data)
    revenue = rates.convert(amount, currency, at)
    if revenue is None:
        profile.unconverted += 1
    else:
        converted = _converted(profile)
        converted[_ORDERS] += 1
        converted[_REVENUE] += revenue
        converted[_UNSTATED if margin is None else _MARGIN] += revenue if margin is None else rates.convert(margin, currency, at) or 0
    _bought(profile, data, at)


def given_back(profile: Profile, touchpoint: Touchpoint, at: int, rates: Rates) -> None:
    """An order was cancelled or sent back."""
    currency, amount = currency_of(touchpoint.data), amount_of(touchpoint.data, "amount")
    profile.orders.setdefault(currency, [0, 0, 0])[2] += amount
    returned = rates.convert(amount, currency, at)
    if returned is None:
        profile.unconverted += 1
    else:
        _converted(profile)[_GIVEN_BACK] += returned


def cost(profile: Profile, amount: int, currency: str, at: int, rates: Rates) -> int:
    """Money that we spent on the customer, in the house currency; what cannot be converted is counted, and nothing."""
    spent = rates.convert(amount, currency, at)
    if spent is None:
        profile.unconverted += 1
    return spent or 0


def amount_of(data: Data, key: str) -> int:
    """Integer minor units; what is no such amount is nothing."""
    amount = data.get(key, 0)
    return amount if isinstance(amount, int) and not isinstance(amount, bool) and 0 <= amount < AMOUNT_MAX else 0


def currency_of(data: Data, default: str = "XXX") -> str:
    """ISO 4217; XXX (no currency) for what is none."""
    currency = data.get("currency")
    return currency.upper() if isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isalpha() else default


def _margin(data: Data) -> int | None:
    margin = data.get("margin")
    return margin if isinstance(margin, int) and not isinstance(margin, bool) and -AMOUNT_MAX < margin < AMOUNT_MAX else None


def _converted(profile: Profile) -> list[int]:
    if not profile.converted:
        profile.converted = [0, 0, 0, 0, 0]
    return profile.converted


def _bought(profile: Profile, data: Data, at: int) -> None:
    for category in _categories(data):
        if bounds.has_room(profile.categories, category, CATEGORIES_MAX):
            items = profile.categories.setdefault(category, [0, 0])
            items[0] += 1
            items[1] = max(items[1], at)
            profile.categories = bounds.sampled(profile.categories, CATEGORIES_MAX)


def _categories(data: Data) -> Iterator[str]:
    """That of each item, or of the whole order."""
    products = data.get("products")
    items = products[:_ITEMS_MAX] if isinstance(products, list) else [data]
    for item in items:
        category = item.get("category") if isinstance(item, dict) else None
        if isinstance(category, str) and category.strip():
            yield category.strip()[:_CATEGORY_MAX]

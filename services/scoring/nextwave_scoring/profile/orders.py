"""Orders: exact sums per currency, the same in the house currency at the rate of the day, and the categories that were bought from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nextwave_contracts.touchpoints import Touchpoint

from nextwave_scoring.instants import DAY
from nextwave_scoring.profile import bounds
from nextwave_scoring.profile.record import CATEGORIES_MAX, CURRENCIES_MAX, Profile, first_of
from nextwave_scoring.rates import Rates

Data = Mapping[str, Any]
AMOUNT_MAX = 2**43
"""Of one order, minor units (88 billion euro), in its currency and when converted."""
_ITEMS_MAX = 100
_CATEGORY_MAX = 40


def placed(profile: Profile, touchpoint: Touchpoint, at: int, rates: Rates) -> None:
    """An order. Its `margin` (minor units, may be a loss) is used where the source states it."""
    data = touchpoint.data
    currency, amount = currency_of(data), amount_of(data, "amount")
    _sum(profile, currency, (1, amount, 0))
    profile.first_order_at = first_of(profile.first_order_at, at)
    profile.last_order_at = max(profile.last_order_at, at)
    profile.purchases.mark(at // DAY)
    margin = _margin(data)
    revenue = _worth(amount, currency, at, rates)
    if revenue is None:
        profile.unconverted += 1
    elif margin is None:
        _convert(profile, (1, revenue, 0, 0, revenue))
    else:
        _convert(profile, (1, revenue, 0, _worth(margin, currency, at, rates) or 0, 0))
    _bought(profile, data, at)


def given_back(profile: Profile, touchpoint: Touchpoint, at: int, rates: Rates) -> None:
    """An order was cancelled or sent back."""
    currency, amount = currency_of(touchpoint.data), amount_of(touchpoint.data, "amount")
    _sum(profile, currency, (0, 0, amount))
    returned = _worth(amount, currency, at, rates)
    if returned is None:
        profile.unconverted += 1
    else:
        _convert(profile, (0, 0, returned, 0, 0))


def cost(profile: Profile, amount: int, currency: str, at: int, rates: Rates) -> int:
    """Money that we spent on the customer, in the house currency; what cannot be converted is counted, and nothing."""
    spent = _worth(amount, currency, at, rates)
    if spent is None:
        profile.unconverted += 1
    return spent or 0


def summed(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Sums of both, place by place; none is as nothing yet."""
    return [bounds.added(x, y) for x, y in zip(a, b, strict=True)] if a and b else list(a or b)


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


def _worth(amount: int, currency: str, at: int, rates: Rates) -> int | None:
    """In the house currency, no more than an order may be; None where no rate is known."""
    worth = rates.convert(amount, currency, at)
    return None if worth is None else max(-AMOUNT_MAX, min(worth, AMOUNT_MAX))


def _sum(profile: Profile, currency: str, amounts: Sequence[int]) -> None:
    if bounds.has_room(profile.orders, currency, CURRENCIES_MAX):
        profile.orders[currency] = summed(profile.orders.get(currency, ()), amounts)
        profile.orders = bounds.sampled(profile.orders, CURRENCIES_MAX)


def _convert(profile: Profile, amounts: Sequence[int]) -> None:
    """Orders, revenue, given back, stated margin, revenue without a stated one."""
    profile.converted = summed(profile.converted, amounts)


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

"""Orders: exact sums per currency, the same in the house currency at the rate of the day, and the categories that were bought from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nextwave_scoring.profile import bounds
from nextwave_scoring.profile.record import CATEGORIES_MAX, CURRENCIES_MAX, RETURN_CURRENCIES_MAX, Profile, Returned, Sale
from nextwave_scoring.rates import Rates

Data = Mapping[str, Any]
AMOUNT_MAX = 2**43
"""Of one order, minor units (88 billion euro), in its currency and when converted."""
_ITEMS_MAX = 100
_CATEGORY_MAX = 40


def sale_of(data: Data, at: int, rates: Rates) -> Sale:
    """What an order says of money."""
    currency, amount, margin = currency_of(data), amount_of(data, "amount"), _margin(data)
    revenue = _worth(amount, currency, at, rates)
    if revenue is None:
        return Sale(at, currency, amount)
    return Sale(at, currency, amount, (revenue,) if margin is None else (revenue, _worth(margin, currency, at, rates) or 0))


def count(profile: Profile, sale: Sale, times: int = 1) -> None:
    """Adds an order to the sums, or takes it off again (-1)."""
    _sum(profile, sale.currency, (times, times * sale.amount, 0))
    if not sale.worth:
        profile.unconverted += times
        return
    revenue, *margin = (times * worth for worth in sale.worth)
    _convert(profile, (times, revenue, 0, margin[0], 0) if margin else (times, revenue, 0, 0, revenue))


def returned_of(data: Data, at: int, rates: Rates) -> Returned:
    """What a cancellation or a return says of money."""
    currency, amount = currency_of(data), amount_of(data, "amount")
    worth = _worth(amount, currency, at, rates)
    return Returned(at, {currency: [amount, worth or 0, int(worth is None)]})


def returned_together(a: Returned, b: Returned) -> Returned:
    """What both say of one order."""
    sums = {currency: summed(a.sums.get(currency, ()), b.sums.get(currency, ())) for currency in {**a.sums, **b.sums}}
    return Returned(max(a.at, b.at), bounds.sampled(sums, RETURN_CURRENCIES_MAX))


def give_back(profile: Profile, returned: Returned, sale: Sale | None = None, times: int = 1) -> None:
    """Adds what was taken back to the sums, of a known order no more than it brought; or takes it off again (-1)."""
    if sale is not None and not sale.amount:
        return
    worth = 0
    for currency, (amount, converted, unconverted) in returned.sums.items():
        kept = min(amount, sale.amount) if sale is not None and sale.currency == currency else amount
        _sum(profile, currency, (0, 0, times * kept))
        profile.unconverted += times * unconverted
        worth += converted
    if sale is not None and sale.worth:
        worth = min(worth, sale.worth[0])
    _convert(profile, (0, 0, times * worth, 0, 0))


def bought(profile: Profile, data: Data, at: int) -> None:
    """Categories of an order."""
    for category in _categories(data):
        if bounds.has_room(profile.categories, category, CATEGORIES_MAX):
            items = profile.categories.setdefault(category, [0, 0])
            items[0] += 1
            items[1] = max(items[1], at)
            profile.categories = bounds.sampled(profile.categories, CATEGORIES_MAX)


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
    if not bounds.has_room(profile.orders, currency, CURRENCIES_MAX):
        return
    profile.orders[currency] = summed(profile.orders.get(currency, ()), amounts)
    if not any(profile.orders[currency]):
        del profile.orders[currency]
    profile.orders = bounds.sampled(profile.orders, CURRENCIES_MAX)


def _convert(profile: Profile, amounts: Sequence[int]) -> None:
    """Orders, revenue, given back, stated margin, revenue without a stated one."""
    both = summed(profile.converted, amounts)
    profile.converted = both if any(both) else []


def _categories(data: Data) -> Iterator[str]:
    """That of each item, or of the whole order."""
    products = data.get("products")
    items = products[:_ITEMS_MAX] if isinstance(products, list) else [data]
    for item in items:
        category = item.get("category") if isinstance(item, dict) else None
        if isinstance(category, str) and category.strip():
            yield category.strip()[:_CATEGORY_MAX]

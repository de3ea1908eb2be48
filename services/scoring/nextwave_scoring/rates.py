"""Exchange rates by date: what money in any currency is worth in the house currency on the day of its event."""

from __future__ import annotations

import csv
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import Any

from nextwave_contracts.money import EXPONENTS

from nextwave_scoring.instants import DAY

_EPOCH = date(1970, 1, 1).toordinal()
_FIELDS = ("currency", "date", "rate")


class UnreadableRatesError(ValueError):
    """The table cannot be used; the message names the line, the field and what is expected."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates into the currency `house`. `table`: by currency the days (since 1970, rising) and the rates from then on, as fractions."""

    house: str = "EUR"
    table: Mapping[str, tuple[tuple[int, ...], tuple[tuple[int, int], ...]]] = field(default_factory=dict)

    def convert(self, amount: int, currency: str, at: int) -> int | None:
        """Minor units of `currency` at an instant (microseconds) in minor units of the house currency, half to even.

        By the latest rate of that day or before; None where there is none. Nothing is nothing in any currency.
        """
        if currency == self.house or not amount:
            return amount
        days, rates = self.table.get(currency, ((), ()))
        place = bisect_right(days, at // DAY)
        return _half_even(amount * rates[place - 1][0], rates[place - 1][1]) if place else None


def read_rates(text: str, house: str) -> Rates:
    """A table as CSV with the columns currency, date, rate, or as a JSON list of such objects.

    `rate` is what one unit (not one minor unit) of `currency` is worth in the house currency. Raises `UnreadableRatesError`.
    """
    found: dict[str, dict[int, tuple[int, int]]] = {}
    for number, row in _rows(text):
        currency, day, rate = _read(number, row)
        found.setdefault(currency, {})[day] = _fraction(rate, currency, house)
    table = {currency: (tuple(sorted(by_day)), tuple(by_day[day] for day in sorted(by_day))) for currency, by_day in found.items()}
    return Rates(house, table)


def _rows(text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """Each row with its number as a person counts."""
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text, parse_float=Decimal)
        except ValueError as wrong:
            raise UnreadableRatesError(f"the table of rates is no JSON: {wrong}") from wrong
        if not all(isinstance(row, dict) for row in rows):
            raise UnreadableRatesError('the table of rates must be a list of objects, for example [{"currency": "USD", ...}]')
        return enumerate(rows, 1)
    reader = csv.DictReader(StringIO(text.removeprefix("\ufeff")), skipinitialspace=True)
    missing = [name for name in _FIELDS if name not in (reader.fieldnames or ())]
    if missing:
        raise UnreadableRatesError(f"the table of rates has no column {missing[0]}; its first line must be currency,date,rate")
    return enumerate(reader, 2)


def _read(number: int, row: Mapping[str, Any]) -> tuple[str, int, Decimal]:
    currency, day, rate = (str(row.get(name) if row.get(name) is not None else "").strip() for name in _FIELDS)
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise UnreadableRatesError(f"rate {number}: currency must be an ISO 4217 code, not {currency!r}")
    try:
        ordinal = date.fromisoformat(day).toordinal() - _EPOCH
    except ValueError as wrong:
        raise UnreadableRatesError(f"rate {number}: date must be YYYY-MM-DD, not {day!r}") from wrong
    try:
        value = Decimal(rate)
    except InvalidOperation as wrong:
        raise UnreadableRatesError(f"rate {number}: rate must be a number with a point, not {rate!r}") from wrong
    if not value.is_finite() or value <= 0:
        raise UnreadableRatesError(f"rate {number}: rate must be above 0, not {rate!r}")
    return currency.upper(), ordinal, value


def _fraction(rate: Decimal, currency: str, house: str) -> tuple[int, int]:
    """What one minor unit is worth in minor units of the house currency."""
    numerator, denominator = rate.as_integer_ratio()
    return numerator * 10 ** EXPONENTS.get(house, 2), denominator * 10 ** EXPONENTS.get(currency, 2)


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))

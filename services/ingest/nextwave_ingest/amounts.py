"""Money as shops send it (12.5, "12.50") into integer minor units of its currency. PURE."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from nextwave_contracts.contents import AMOUNT_MAX
from nextwave_contracts.money import EXPONENTS

from nextwave_ingest.admission import RefusedError

AMOUNT_FIELDS = ("revenue", "total")
"""Where Segment's order events carry money, the first one present counts."""


def with_amount(data: dict[str, Any], default_currency: str) -> dict[str, Any]:
    """The order with `amount` in minor units and `currency`; unchanged where it names no money. Raises `RefusedError`."""
    if not (field := money_field(data)):
        return data
    currency = str(data.get("currency") or default_currency).strip().upper()
    return data | {"amount": minor_units(data[field], currency, f"/properties/{field}"), "currency": currency}


def money_field(data: dict[str, Any]) -> str:
    """The one that carries it, or nothing."""
    return next((name for name in AMOUNT_FIELDS if data.get(name) is not None), "")


def minor_units(value: object, currency: str, pointer: str) -> int:
    """`12.5`, EUR -> 1250, half to even. Raises `RefusedError`."""
    written = "" if isinstance(value, bool) or not isinstance(value, int | float | str) else str(value).strip()
    try:
        amount = Decimal(written).scaleb(EXPONENTS.get(currency, 2))
        units = int(amount.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    except (ArithmeticError, ValueError) as wrong:
        raise RefusedError(pointer, "must be an amount of money, for example 12.99") from wrong
    if abs(units) > AMOUNT_MAX:
        raise RefusedError(pointer, f"is more than {AMOUNT_MAX} minor units")
    return units

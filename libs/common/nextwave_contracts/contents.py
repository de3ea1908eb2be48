"""What the data of some types must say, wherever a touchpoint is told or supposed. PURE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nextwave_contracts.consents import GRANTED, fault_of_grant

AMOUNT_MAX = 2**53
ORDERED = "order.placed"
Fault = tuple[str, str]
"""A pointer, and what to do."""


def fault_of(kind: str, data: Mapping[str, Any]) -> Fault | None:
    """Why this is no data of the type."""
    check = _CHECKS.get(kind)
    return None if check is None else check(data)


def _fault_of_money(data: Mapping[str, Any]) -> Fault | None:
    amount, currency = data.get("amount"), data.get("currency")
    if amount is None:
        return None
    if type(amount) is not int or not 0 <= amount <= AMOUNT_MAX:
        fix = "must be an integer of minor units, 0 or more, for example 1299 for 12.99 EUR; what is given back is order.returned"
        return "/data/amount", fix
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isalpha() and currency.isupper()):
        return "/data/currency", "must be an ISO 4217 code in capitals, for example EUR"
    return None


_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], Fault | None]] = {
    GRANTED: fault_of_grant,
    ORDERED: _fault_of_money,
}

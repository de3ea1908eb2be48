"""What the data of some types must say, and what it says in a form that everybody behind the door reads the same. PURE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nextwave_ingest.consents import GRANTED, WITHDRAWN, doubts_of_withdrawal, fault_of_grant
from nextwave_ingest.naming import near
from nextwave_ingest.stops import ANSWERS, yes_or_no

AMOUNT_MAX = 2**53
ORDERED = "order.placed"
Fault = tuple[str, str]
"""A pointer, and what to do."""


def fault_of(kind: str, data: Mapping[str, Any]) -> Fault | None:
    """Why this is no data of the type."""
    check = _CHECKS.get(kind)
    return None if check is None else check(data)


def doubts_of(kind: str, data: Mapping[str, Any]) -> tuple[Fault, ...]:
    """What may have been meant otherwise, and is taken as it stands."""
    if kind == WITHDRAWN:
        return tuple(doubts_of_withdrawal(data))
    meant = near(kind)
    return (("/type", f"it is kept under its own name, and nothing else is done; did you mean {meant}?"),) if meant else ()


def wrapped_up(data: dict[str, Any]) -> dict[str, Any]:
    """With its answers as true or false, so that everybody behind the door reads the same. None is refused: a stop may stand beside it."""
    said = {field: yes_or_no(data[field]) for field in ANSWERS if field in data}
    return data if all(data[field] is answer for field, answer in said.items()) else data | said


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

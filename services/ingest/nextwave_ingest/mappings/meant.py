"""Constants that were surely meant as paths. Told when a mapping is saved or tried: what once was taken stays in force. PURE."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nextwave_contracts.faults import Fault, step

from nextwave_ingest.admission import RefusedError
from nextwave_ingest.amounts import minor_units
from nextwave_ingest.mappings.document import Document, Rule
from nextwave_ingest.mappings.moments import moment
from nextwave_ingest.mappings.origins import places_of
from nextwave_ingest.mappings.tables import Table
from nextwave_ingest.occurrence import UnreadableTimeError

_ALIKE = {
    "id": "names all items alike, so that only the first would count",
    "occurred_at": "is the same time for every item",
    "sent_at": "is the same time for every item",
}
"""Fields that no item shares with another, and what a constant would do."""
_ONE_CUSTOMER = "says that every item is of the same customer"
_WAY = re.compile(r"(?:item\.)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])*)", re.ASCII)


def constant_faults(document: Document) -> list[Fault]:
    """What stands there as it is and can only have been meant as a path."""
    return [fault for n, rule in enumerate(document.touchpoints) for fault in _of_rule(rule, f"/touchpoints/{n}", document.tables)]


def _of_rule(rule: Rule, at: str, tables: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    for field, why in _ALIKE.items():
        yield from _alike(getattr(rule, field), f"{at}/{field}", why)
    for kind, value in rule.identifiers.items():
        yield from _alike(value, f"{at}/identifiers{step(kind)}", _ONE_CUSTOMER)
    for name, value in rule.data.items():
        yield from _senseless(value, f"{at}/data{step(name)}", tables)


def _alike(value: Any, at: str, why: str) -> Iterator[Fault]:
    """A value that would be the same for all items, or may be."""
    match value:
        case {"first_of": list(several)}:
            for n, one in enumerate(several):
                yield from _alike(one, f"{at}/first_of/{n}", why)
        case list():
            for n, one in enumerate(value):
                yield from _alike(one, f"{at}/{n}", why)
        case {"local_time": inner}:
            yield from _alike(inner, at + "/local_time", why)
        case {"e164": inner}:
            yield from _alike(inner, at + "/e164", why)
        case {"table": _, "key": inner}:
            yield from _alike(inner, at + "/key", why)
        case _ if value is not None and not any(places_of(value)):
            yield _fault(value, at, why)


def _senseless(value: Any, at: str, tables: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    """Operands of functions that give nothing whatever the item is."""
    if not isinstance(value, dict | list):
        return
    for name, one in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _senseless(one, at + step(name), tables)
    match value:
        case {"table": str(table), "key": key} if _is_constant(key) and key not in Table(tables.get(table, {})):
            yield _fault(key, at + "/key", f"is no code of {table}")
        case {"seconds_between": list(pair)}:
            for n, one in enumerate(pair):
                yield from _unfit(one, f"{at}/seconds_between/{n}", _is_time, "is no time")
        case {"local_time": time}:
            yield from _unfit(time, at + "/local_time", _is_time, "is no time")
        case {"minor_units": amount, "currency": currency}:
            yield from _unfit(amount, at + "/minor_units", _is_amount, "is no amount of money")
            yield from _unfit(currency, at + "/currency", _is_currency, "is no currency")
        case {"e164": number}:
            yield from _unfit(number, at + "/e164", _is_number, "is no phone number")


def _unfit(value: Any, at: str, fits: Callable[[Any], bool], why: str) -> Iterator[Fault]:
    if _is_constant(value) and not fits(value):
        yield _fault(value, at, why)


def _is_constant(value: Any) -> bool:
    return isinstance(value, str | int | float) and not any(places_of(value))


def _fault(value: Any, at: str, why: str) -> Fault:
    way = _WAY.fullmatch(value) if isinstance(value, str) else None
    fix = f"write $.{way[1]:.80} to read it of the item" if way else "write a path into the item, like $.detail.time"
    return Fault(at, f"{value!r:.80} {why}", fix)


def _is_time(value: Any) -> bool:
    try:
        return bool(moment(value))
    except UnreadableTimeError:
        return False


def _is_amount(value: Any) -> bool:
    try:
        return minor_units(value, "EUR", "") is not None
    except RefusedError:
        return False


def _is_number(value: Any) -> bool:
    return any(letter.isdigit() for letter in str(value))


def _is_currency(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 3 and value.isalpha()

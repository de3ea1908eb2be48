"""The operators of rules, declared once: what they apply to, what they compare with, and how. All are total: they answer, never raise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Literal

from nextwave_contracts.fields import FieldType
from nextwave_contracts.instants import instant

OperandKind = Literal["scalar", "number", "text", "several", "pair", "texts", "instant", "duration", "flag"]
Holds = Callable[[Any, Any, datetime], bool]
"""`(value, operand, now)`; the value may be anything, and what does not fit is false."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator. `phrase` stands between field and operand in the text form."""

    name: str
    types: frozenset[FieldType]
    operand: OperandKind
    phrase: str
    holds: Holds


def kind(value: Any) -> str:
    """Which kind of value this is: `flag number text list instant`, else `other`. True is a flag, never the number 1."""
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, (int, float)):
        return "number" if isinstance(value, int) or isfinite(value) else "other"
    if isinstance(value, str):
        return "text"
    if isinstance(value, (list, tuple)):
        return "list"
    return "instant" if isinstance(value, datetime) else "other"


def _equal(value: Any, operand: Any) -> bool:
    return bool(value == operand) and isinstance(value, bool) == isinstance(operand, bool)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _among(value: Any, operand: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool) and value in operand


def _contains(value: Any, operand: Any) -> bool:
    return isinstance(value, (str, list, tuple)) and operand in value


def _members(value: Any) -> frozenset[str]:
    return frozenset(v for v in value if isinstance(v, str)) if isinstance(value, (list, tuple)) else frozenset()


def _earlier(value: Any, than: Any) -> bool:
    read = instant(value)
    return read is not None and read < than


def _later(value: Any, than: Any) -> bool:
    read = instant(value)
    return read is not None and read > than


def _age(value: Any, now: datetime) -> timedelta | None:
    read = instant(value)
    return None if read is None else now - read


def _older(value: Any, operand: Any, now: datetime) -> bool:
    age = _age(value, now)
    return age is not None and age > operand


def _newer(value: Any, operand: Any, now: datetime) -> bool:
    age = _age(value, now)
    return age is not None and age <= operand


def _op(name: str, types: tuple[FieldType, ...], operand: OperandKind, phrase: str, holds: Holds) -> Operator:
    return Operator(name, frozenset((*types, "any")), operand, phrase, holds)


_SCALAR: tuple[FieldType, ...] = ("number", "text", "flag")
_EVERY: tuple[FieldType, ...] = ("number", "text", "flag", "instant", "list")

OPERATORS: Mapping[str, Operator] = {
    o.name: o
    for o in (
        _op("eq", _SCALAR, "scalar", "is", lambda v, w, _: _equal(v, w)),
        _op("ne", _SCALAR, "scalar", "is not", lambda v, w, _: v is not None and not _equal(v, w)),
        _op("in", ("number", "text"), "several", "is one of", lambda v, w, _: _among(v, w)),
        _op("not_in", ("number", "text"), "several", "is none of", lambda v, w, _: v is not None and not _among(v, w)),
        _op("lt", ("number",), "number", "is less than", lambda v, w, _: _number(v) and v < w),
        _op("lte", ("number",), "number", "is at most", lambda v, w, _: _number(v) and v <= w),
        _op("gt", ("number",), "number", "is more than", lambda v, w, _: _number(v) and v > w),
        _op("gte", ("number",), "number", "is at least", lambda v, w, _: _number(v) and v >= w),
        _op("between", ("number",), "pair", "is between", lambda v, w, _: _number(v) and w[0] <= v <= w[1]),
        _op("starts_with", ("text",), "text", "starts with", lambda v, w, _: isinstance(v, str) and v.startswith(w)),
        _op("ends_with", ("text",), "text", "ends with", lambda v, w, _: isinstance(v, str) and v.endswith(w)),
        _op("contains", ("text", "list"), "text", "contains", lambda v, w, _: _contains(v, w)),
        _op("contains_any", ("list",), "texts", "contains one of", lambda v, w, _: not w.isdisjoint(_members(v))),
        _op("contains_all", ("list",), "texts", "contains all of", lambda v, w, _: w <= _members(v)),
        _op("before", ("instant",), "instant", "is before", lambda v, w, _: _earlier(v, w)),
        _op("after", ("instant",), "instant", "is after", lambda v, w, _: _later(v, w)),
        _op("older_than", ("instant",), "duration", "is longer ago than", _older),
        _op("newer_than", ("instant",), "duration", "is not longer ago than", _newer),
        _op("exists", _EVERY, "flag", "is known", lambda v, w, _: (v is not None) == w),
    )
}


def names_for(type_: FieldType) -> tuple[str, ...]:
    """The operators that apply to a field of this type."""
    return tuple(o.name for o in OPERATORS.values() if type_ in o.types)

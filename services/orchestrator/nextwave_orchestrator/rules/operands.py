"""Checks and reads what an operator compares with, so that a wrong value is refused when the rule is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nextwave_contracts.fields import FieldType
from nextwave_contracts.instants import instant

from nextwave_orchestrator.durations import FIX as DURATION_FIX
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.rules.operators import Operator, kind

MOST_VALUES = 1000
LONGEST_TEXT = 1000

_EXAMPLES = {"number": "a number, for example 3", "text": 'a text, for example "high"', "flag": "true or false"}


class WrongOperandError(ValueError):
    """The value does not fit the operator; the text is the fix."""


def lacks_operand(condition: Mapping[str, Any], operator: Operator) -> bool:
    """Whether the condition leaves out its value; only whether something is known may be asked without one."""
    return "value" not in condition and operator.operand != "flag"


def operand(operator: Operator, type_: FieldType, written: Any) -> Any:
    """What `written` means to the operator on a field of this type. Raises `WrongOperandError` with the fix."""
    if operator.operand in _READERS:
        return _READERS[operator.operand](written)
    if operator.operand == "several":
        return _several(written, type_)
    return _scalar(written, type_ if operator.operand == "scalar" else operator.operand)


def _scalar(written: Any, type_: str) -> Any:
    wanted = type_ if type_ in _EXAMPLES else kind(written)
    if wanted not in _EXAMPLES or kind(written) != wanted:
        raise WrongOperandError("give " + _EXAMPLES.get(wanted, "a number, a text, true or false"))
    if isinstance(written, str) and len(written) > LONGEST_TEXT:
        raise WrongOperandError(f"give a text of at most {LONGEST_TEXT} characters")
    return written


def _several(written: Any, type_: FieldType) -> frozenset[Any]:
    if not isinstance(written, list) or not 1 <= len(written) <= MOST_VALUES:
        raise WrongOperandError(f'give a list of 1 to {MOST_VALUES} values, for example ["a", "b"]')
    kinds = {kind(w) for w in written}
    if len(kinds) != 1 or not kinds <= {"number", "text"} or (type_ in _EXAMPLES and kinds != {type_}):
        raise WrongOperandError("give a list of " + ("numbers only" if type_ == "number" else "texts only"))
    return frozenset(written)


def _pair(written: Any) -> tuple[float, float]:
    if not isinstance(written, list) or len(written) != 2 or any(kind(w) != "number" for w in written) or written[0] > written[1]:
        raise WrongOperandError("give the lowest and the highest number, for example [10, 20]")
    return written[0], written[1]


def _instant(written: Any) -> Any:
    read = instant(written) if isinstance(written, str) else None
    if read is None:
        raise WrongOperandError('give an RFC 3339 instant, for example "2026-11-22T08:00:00Z"')
    return read


def _duration(written: Any) -> Any:
    if not isinstance(written, str):
        raise WrongOperandError(DURATION_FIX)
    try:
        return duration(written)
    except ValueError as wrong:
        raise WrongOperandError(DURATION_FIX) from wrong


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "texts": lambda written: _several(written, "text"),
    "pair": _pair,
    "instant": _instant,
    "duration": _duration,
}

"""Conditions on events: type or outcome, and `where` on the event's data; used by rules, responses, goals and entries alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from nextwave_contracts.faults import Fault, step
from nextwave_contracts.outcomes import OutcomeKind

from nextwave_orchestrator.durations import FIX as DURATION_FIX
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.rules.operands import WrongOperandError, lacks_operand, operand
from nextwave_orchestrator.rules.operators import OPERATORS, Operator
from nextwave_orchestrator.rules.tree import DataTest, EventTest

EVENT_KEYS = frozenset({"event", "outcome", "where", "within", "at_least"})
OUTCOMES: tuple[str, ...] = get_args(OutcomeKind)
LONGEST_TYPE = 128
MOST_CONDITIONS = 20
REMEMBERED = 64
"""A customer's last events, of which rules are asked."""


def read_event(raw: Mapping[str, Any], at: str, faults: list[Fault]) -> EventTest | None:
    """The checked event leaf; its faults are added to `faults`, and None is given when there were some."""
    before = len(faults)
    type_ = _type(raw, at, faults)
    where = read_where(raw.get("where", {}), at + "/where", faults)
    within = raw.get("within")
    at_least = raw.get("at_least", 1)
    if within is not None and not _is_duration(within):
        faults.append(Fault(at + "/within", f"{within!r:.40} is no duration", DURATION_FIX))
    if not isinstance(at_least, int) or isinstance(at_least, bool) or not 1 <= at_least <= REMEMBERED:
        fix = f"give a whole number from 1 to {REMEMBERED}: so many events of a customer are remembered"
        faults.append(Fault(at + "/at_least", f"{at_least!r:.40} is no count", fix))
    if len(faults) > before:
        return None
    return EventTest(at, type_, where, duration(within) if within else None, at_least, within or "")


def read_where(raw: Any, at: str, faults: list[Fault]) -> tuple[DataTest, ...]:
    """Conditions on data, all of which must hold: `{path: value}`, `{path: [values]}` or `{path: {"op": ..., "value": ...}}`."""
    if not isinstance(raw, Mapping) or len(raw) > MOST_CONDITIONS:
        faults.append(Fault(at, "where is an object of conditions", f'write at most {MOST_CONDITIONS}, for example {{"path": "/renew"}}'))
        return ()
    tests = (_data_test(str(path), wanted, at + step(path), faults) for path, wanted in raw.items())
    return tuple(t for t in tests if t is not None)


def _type(raw: Mapping[str, Any], at: str, faults: list[Fault]) -> str:
    if "outcome" in raw:
        if "event" in raw:
            faults.append(Fault(at, "event and outcome together", "ask for one of them; join two conditions with any"))
        if raw["outcome"] not in OUTCOMES:
            faults.append(Fault(at + "/outcome", f"there is no outcome {raw['outcome']!r:.40}", f"use one of {', '.join(OUTCOMES)}"))
        return f"outcome.{raw['outcome']}"
    type_ = raw.get("event")
    if not isinstance(type_, str) or not 1 <= len(type_) <= LONGEST_TYPE or not type_.isprintable():
        faults.append(Fault(at + "/event", f"{type_!r:.40} is no event type", "name a touchpoint type, for example order.placed"))
        return ""
    if type_.startswith("outcome.") and type_.removeprefix("outcome.") not in OUTCOMES:
        faults.append(Fault(at + "/event", f"there is no {type_!r:.40}", f"the outcomes are {', '.join(OUTCOMES)}"))
    return type_


def _data_test(path: str, wanted: Any, at: str, faults: list[Fault]) -> DataTest | None:
    name: Any = "in" if isinstance(wanted, list) else "eq"
    written = wanted
    if isinstance(wanted, Mapping):
        name, written = wanted.get("op"), wanted.get("value", True)
        if set(wanted) - {"op", "value"} or not isinstance(name, str) or name not in OPERATORS:
            fix = f'write {{"op": ..., "value": ...}} with one of {", ".join(OPERATORS)}'
            faults.append(Fault(at, "this is no condition on data", fix))
            return None
    operator: Operator = OPERATORS[name]
    if isinstance(wanted, Mapping) and lacks_operand(wanted, operator):
        faults.append(Fault(at + "/value", "value is missing", f"say what {name} compares with"))
        return None
    try:
        return DataTest(at, path, tuple(path.split(".")), operator, operand(operator, "any", written), written)
    except WrongOperandError as wrong:
        faults.append(Fault(at, f"{operator.name} cannot take {written!r:.60}", str(wrong)))
        return None


def _is_duration(text: Any) -> bool:
    try:
        duration(text)
    except (TypeError, ValueError):
        return False
    return True

"""Reads a rule from JSON and type-checks it against the field catalogue; finds every fault with its pointer and fix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from nextwave_contracts.faults import Fault, raise_any, step
from nextwave_contracts.fields import FIELDS, Field, field

from nextwave_orchestrator.rules.events import EVENT_KEYS, read_event
from nextwave_orchestrator.rules.operands import WrongOperandError, lacks_operand, operand
from nextwave_orchestrator.rules.operators import OPERATORS, names_for
from nextwave_orchestrator.rules.tree import AllOf, AnyOf, FieldTest, NotOf, Rule

DEEPEST = 12
MOST_NODES = 256
"""Parts of a rule, each condition on an event's data among them."""
MOST_EVENTS = 32
"""Conditions on events of one rule: each is asked of up to 64 events, for every customer, whenever something happens to them."""
SHAPES = 'write {"all": [...]}, {"any": [...]}, {"not": ...}, {"field": ..., "op": ..., "value": ...} or {"event": ...}'
_SHAPES = ("all", "any", "not", "field", "event", "outcome")
_KEYS = {"field": frozenset({"field", "op", "value"}), "event": EVENT_KEYS, "outcome": EVENT_KEYS}


def read_rule(raw: Any, pointer: str = "") -> Rule:
    """The checked rule; `pointer` says where it stands in its document. Raises `FaultyError` with all faults."""
    reader = _Reader()
    rule = reader.read(raw, pointer, 1)
    raise_any(reader.faults)
    assert rule is not None
    return rule


class _Reader:
    """One pass over one rule; collects faults and counts nodes."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._nodes = 0
        self._events = 0

    def read(self, raw: Any, at: str, depth: int) -> Rule | None:
        if depth > DEEPEST:
            return self._fault(at, f"nested deeper than {DEEPEST}", "flatten the rule or split it into several segments")
        if not self._counted(1, at):
            return None
        if not isinstance(raw, Mapping):
            return self._fault(at, f"a rule is an object, not {type(raw).__name__}", SHAPES)
        shapes = [k for k in _SHAPES if k in raw]
        if len(shapes) == 1:
            return self._shaped(shapes[0], raw, at, depth)
        return self._fault(at, f"{' and '.join(shapes)} together" if shapes else "not one of the rule shapes", SHAPES)

    def _shaped(self, shape: str, raw: Mapping[str, Any], at: str, depth: int) -> Rule | None:
        if not self._only(raw, _KEYS.get(shape, frozenset({shape})), at):
            return None
        if shape in {"event", "outcome"}:
            return self._event(raw, at)
        if shape == "field":
            return self._field(raw, at)
        if shape == "not":
            part = self.read(raw["not"], at + "/not", depth + 1)
            return part and NotOf(at, part)
        return self._parts(AllOf if shape == "all" else AnyOf, raw[shape], f"{at}/{shape}", depth)

    def _parts(self, node: Callable[[str, tuple[Rule, ...]], Rule], raw: Any, at: str, depth: int) -> Rule | None:
        if not isinstance(raw, list) or not raw:
            return self._fault(at, "needs a list of at least one rule", SHAPES)
        parts = [self.read(part, at + step(n), depth + 1) for n, part in enumerate(raw[:MOST_NODES])]
        return node(at.rpartition("/")[0], tuple(p for p in parts if p is not None))

    def _event(self, raw: Mapping[str, Any], at: str) -> Rule | None:
        self._events += 1
        if self._events > MOST_EVENTS:
            several = f"more than {MOST_EVENTS} conditions on events"
            return self._fault(at, several, "split the rule") if self._events == MOST_EVENTS + 1 else None
        test = read_event(raw, at, self.faults)
        return test if test is None or self._counted(len(test.where), at + "/where") else None

    def _counted(self, more: int, at: str) -> bool:
        """Whether there may be so many more; the first time that there may not is a fault."""
        before, self._nodes = self._nodes, self._nodes + more
        if before <= MOST_NODES < self._nodes:
            self._fault(at, f"more than {MOST_NODES} conditions", 'use "in" with a list, or split the rule into several segments')
        return self._nodes <= MOST_NODES

    def _field(self, raw: Mapping[str, Any], at: str) -> Rule | None:
        known = self._known(raw["field"], at + "/field")
        operator = OPERATORS.get(raw["op"]) if isinstance(raw.get("op"), str) else None
        if known is None:
            return None
        if operator is None or known.type not in operator.types:
            allowed = ", ".join(names_for(known.type))
            return self._fault(at + "/op", f"{raw.get('op')!r} does not apply to {known.path} ({known.type})", f"use one of {allowed}")
        if lacks_operand(raw, operator):
            return self._fault(at + "/value", "value is missing", f"say what {operator.name} compares with")
        written = raw.get("value", True)
        try:
            test = FieldTest(at, known, operator, operand(operator, known.type, written), written)
        except WrongOperandError as wrong:
            return self._fault(at + "/value", f"{operator.name} on {known.path} ({known.type}) cannot take {written!r:.60}", str(wrong))
        strange = sorted(_texts(written) - set(known.values)) if known.values and operator.operand in {"scalar", "several"} else []
        if strange:
            return self._fault(at + "/value", f"{known.path} is never {strange[0]!r}", f"use one of {', '.join(known.values)}")
        return test

    def _known(self, path: Any, at: str) -> Field | None:
        try:
            return field(path)
        except (KeyError, AttributeError, TypeError):
            near = get_close_matches(str(path), [f.path for f in FIELDS], n=1, cutoff=0.5)
            fix = ("did you mean " + near[0] + "? " if near else "") + "GET /v1/fields (scoring) lists all fields"
            self._fault(at, f"there is no field {path!r:.60}", fix)
            return None

    def _only(self, raw: Mapping[str, Any], allowed: frozenset[str], at: str) -> bool:
        strange = sorted(str(k) for k in raw if k not in allowed)
        for name in strange:
            self._fault(at + step(name), f"{name!r:.60} is not known here", f"use only {', '.join(sorted(allowed))}")
        return not strange

    def _fault(self, at: str, detail: str, fix: str) -> Rule | None:
        """Notes the fault; gives None, which stands in the place of the rule."""
        self.faults.append(Fault(at, detail, fix))
        return None


def _texts(written: Any) -> set[str]:
    return set(written) if isinstance(written, list) else {written}

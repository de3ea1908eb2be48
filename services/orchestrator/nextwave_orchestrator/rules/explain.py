"""Why a rule was true or false, leaf by leaf, with the values found; the same operators as the compiled rule, without stopping early."""

from __future__ import annotations

from typing import Any, assert_never

import msgspec

from nextwave_orchestrator.catalogue import Facts
from nextwave_orchestrator.rules.compile import compile_event, count
from nextwave_orchestrator.rules.text import in_words
from nextwave_orchestrator.rules.tree import AllOf, AnyOf, EventTest, FieldTest, NotOf, Rule


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node. `found` is the field's value or the number of events; `missing` says that nothing is known, which is false."""

    pointer: str
    text: str
    holds: bool
    found: Any = None
    missing: bool = False
    parts: tuple[Explanation, ...] = ()


def explain(rule: Rule, facts: Facts) -> Explanation:
    """The whole tree; its `holds` is what the compiled rule gives for the same facts."""
    text = in_words(rule)
    match rule:
        case AllOf(pointer=pointer, parts=parts):
            told = tuple(explain(p, facts) for p in parts)
            return Explanation(pointer=pointer, text=text, holds=all(t.holds for t in told), parts=told)
        case AnyOf(pointer=pointer, parts=parts):
            told = tuple(explain(p, facts) for p in parts)
            return Explanation(pointer=pointer, text=text, holds=any(t.holds for t in told), parts=told)
        case NotOf(pointer=pointer, part=part):
            inner = explain(part, facts)
            return Explanation(pointer=pointer, text=text, holds=not inner.holds, parts=(inner,))
        case FieldTest():
            value = rule.field.read(facts.profile)
            holds = rule.operator.holds(value, rule.operand, facts.now)
            return Explanation(pointer=rule.pointer, text=text, holds=holds, found=value, missing=value is None)
        case EventTest():
            found = count(rule, compile_event(rule), facts, len(facts.history))
            return Explanation(pointer=rule.pointer, text=text, holds=found >= rule.at_least, found=found)
        case _:
            assert_never(rule)

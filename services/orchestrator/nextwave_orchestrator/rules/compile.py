"""Turns a checked rule into closures, once, so that evaluating it costs a few hundred nanoseconds a leaf and can never raise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from nextwave_contracts.fields import reach

from nextwave_orchestrator.catalogue import Asked, EventPredicate, Facts, Happening, Predicate
from nextwave_orchestrator.rules.tree import AllOf, AnyOf, DataTest, EventTest, FieldTest, NotOf, Rule


def compile_rule(rule: Rule) -> Predicate:
    """The rule as a predicate over facts."""
    match rule:
        case AllOf(parts=parts):
            return _all([compile_rule(p) for p in parts])
        case AnyOf(parts=parts):
            return _any([compile_rule(p) for p in parts])
        case NotOf(part=part):
            return _not(compile_rule(part))
        case FieldTest():
            return _field(rule)
        case EventTest():
            return _event(rule)
        case _:
            assert_never(rule)


def compile_event(test: EventTest) -> EventPredicate:
    """The leaf as a predicate over one happening (type and data; not its age or number)."""
    type_, parts = test.type, tuple(_data(t) for t in test.where)

    def is_it(happening: Happening) -> bool:
        if happening.type != type_:
            return False
        for part in parts:  # noqa: SIM110  (a generator costs three times as much here, and this is the hot path)
            if not part(happening):
                return False
        return True

    return is_it


def _data(test: DataTest) -> EventPredicate:
    path, steps, holds, operand = test.path, test.steps, test.operator.holds, test.operand
    return lambda happening: not happening.is_lost(path) and holds(value_at(happening.data, path, steps), operand, happening.at)


def value_at(data: Any, path: str, steps: tuple[str, ...]) -> Any:
    """The value of an event's data at a path: the whole path as one key, else the way into nested objects; None when missing."""
    return data[path] if path in data else reach(data, steps)


def count(test: EventTest, is_it: EventPredicate, facts: Facts, most: int) -> int:
    """How many events pass, counted up to `most`."""
    since = None if test.within is None else facts.now - test.within
    found = 0
    for happening in reversed(facts.history):
        if is_it(happening) and (since is None or happening.at >= since):
            found += 1
            if found >= most:
                break
    return found


def _all(parts: Sequence[Predicate]) -> Predicate:
    def holds(facts: Facts) -> bool:
        for part in parts:  # noqa: SIM110  (a generator costs three times as much here, and this is the hot path)
            if not part(facts):
                return False
        return True

    return holds


def _any(parts: Sequence[Predicate]) -> Predicate:
    def holds(facts: Facts) -> bool:
        for part in parts:  # noqa: SIM110  (a generator costs three times as much here, and this is the hot path)
            if part(facts):
                return True
        return False

    return holds


def _not(part: Predicate) -> Predicate:
    return lambda facts: not part(facts)


def _field(test: FieldTest) -> Predicate:
    read, holds, operand = test.field.read, test.operator.holds, test.operand
    return lambda facts: holds(read(facts.profile), operand, facts.now)


def _event(test: EventTest) -> Predicate:
    is_it = compile_event(test)
    return lambda facts: count(test, is_it, facts, test.at_least) >= test.at_least


def asked_by(tests: Iterable[EventTest]) -> Asked:
    """What these ask of events' data."""
    return frozenset((test.type, part.path) for test in tests for part in test.where)


def tests_of(rule: Rule) -> list[FieldTest | EventTest]:
    """All leaves, in the order written."""
    match rule:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return [leaf for p in parts for leaf in tests_of(p)]
        case NotOf(part=part):
            return tests_of(part)
        case FieldTest() | EventTest():
            return [rule]
        case _:
            assert_never(rule)

"""When time alone may make a rule true or false: the instants at which something becomes too old, or old enough, for one of its leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from nextwave_contracts.instants import instant

from nextwave_orchestrator.catalogue import Facts
from nextwave_orchestrator.rules.compile import compile_event, tests_of
from nextwave_orchestrator.rules.tree import EventTest, FieldTest, Rule

Moments = Callable[[Facts], Iterable[datetime]]
JUST_AFTER = timedelta.resolution
"""`within`, `older_than` and `newer_than` all turn after the instant at which the age is exactly the duration."""


def next_moment(rule: Rule) -> Callable[[Facts], datetime | None] | None:
    """Gives the first instant after `facts.now` at which the rule may answer differently, nothing else happening; None: it never does.

    Between two such instants the rule's answer over the same profile and history is the same. None instead of a function for a rule
    in which time plays no part. `before` and `after` compare with a fixed instant: only a new value changes their answer.
    """
    parts = [found for leaf in tests_of(rule) if (found := _moments(leaf)) is not None]
    if not parts:
        return None
    return lambda facts: min((at for part in parts for at in part(facts) if at > facts.now), default=None)


def _moments(leaf: FieldTest | EventTest) -> Moments | None:
    if isinstance(leaf, EventTest):
        return None if leaf.within is None else _of_events(leaf, leaf.within)
    return _of_field(leaf) if leaf.operator.operand == "duration" else None


def _of_events(leaf: EventTest, within: timedelta) -> Moments:
    is_it = compile_event(leaf)
    return lambda facts: [_later(h.at, within) for h in facts.history if is_it(h)]


def _of_field(leaf: FieldTest) -> Moments:
    read, age = leaf.field.read, leaf.operand

    def moments(facts: Facts) -> list[datetime]:
        value: Any = instant(read(facts.profile))
        return [] if value is None else [_later(value, age)]

    return moments


def _later(at: datetime, age: timedelta) -> datetime:
    """Total: what is out of the calendar's range never comes."""
    try:
        return at + age + JUST_AFTER
    except OverflowError:
        return datetime.max.replace(tzinfo=at.tzinfo)

"""Rules in words, for people who read a campaign or a decision and do not read JSON."""

from __future__ import annotations

from typing import Any, assert_never

from nextwave_orchestrator.rules.tree import AllOf, AnyOf, DataTest, EventTest, FieldTest, NotOf, Rule


def in_words(rule: Rule) -> str:
    """One line, for example `churn.band is one of high, lost and not (orders.count is 0)`."""
    match rule:
        case AllOf(parts=parts):
            return " and ".join(_within(p) for p in parts)
        case AnyOf(parts=parts):
            return " or ".join(_within(p) for p in parts)
        case NotOf(part=part):
            return f"not ({in_words(part)})"
        case FieldTest(field=field, operator=operator, written=written):
            return f"{field.path} {operator.phrase} {_value(written)}"
        case EventTest():
            return _event(rule)
        case _:
            assert_never(rule)


def _within(rule: Rule) -> str:
    return f"({in_words(rule)})" if isinstance(rule, (AllOf, AnyOf)) else in_words(rule)


def _event(test: EventTest) -> str:
    times = f"at least {test.at_least} times " if test.at_least > 1 else ""
    where = " where " + " and ".join(_data(t) for t in test.where) if test.where else ""
    return f"{times}{test.type}{where}" + (f" within {test.within_written}" if test.within_written else "")


def _data(test: DataTest) -> str:
    return f"{test.path} {test.operator.phrase} {_value(test.written)}"


def _value(written: Any) -> str:
    if isinstance(written, list):
        return ", ".join(_value(w) for w in written)
    if isinstance(written, bool):
        return "yes" if written else "no"
    return f"{written}"

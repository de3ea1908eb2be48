"""Rules in words, for people who read a campaign or a decision and do not read JSON; `wording` reads the same words back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, assert_never

from nextwave_orchestrator.rules.operators import OPERATORS, Operator
from nextwave_orchestrator.rules.tree import AllOf, AnyOf, DataTest, EventTest, FieldTest, NotOf, Rule

NAMES: Mapping[str, str] = {
    "churn.risk": "churn risk",
    "churn.band": "risk band",
    "value.cell": "value cell",
    "value.current": "current value",
    "value.potential": "potential value",
    "course.tenure_days": "days of tenure",
    "leaving.cause": "cause of leaving",
    "relation.score": "relationship score",
    "orders.count": "number of orders",
    "orders.revenue": "revenue",
    "orders.first_at": "first order",
    "orders.last_at": "last order",
    "first_seen_at": "first touchpoint",
    "last_seen_at": "last touchpoint",
    "open_complaints": "number of open complaints",
    "complaints.solved": "number of solved complaints",
    "services.open": "number of open service matters",
    "contract_ends_at": "end of contract",
    "refusals": "number of refusals",
}
"""What people call a field; every other one is called by its path."""
RESERVED: frozenset[str] = frozenset(["and", "or", "not", "yes", "no", "happened", "where", "within", "times", "known", "unknown"]) | {
    word for operator in OPERATORS.values() for word in operator.phrase.split()
}
"""Words with a meaning of their own; as a value they stand in quotation marks."""
_BARE = re.compile(r"[\w./:+-]+")
_NUMBER = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?")


def in_words(rule: Rule) -> str:
    """One line, for example `risk band is one of high, lost and not (number of orders is 0)`."""
    match rule:
        case AllOf(parts=(only,)) | AnyOf(parts=(only,)):
            return in_words(only)
        case AllOf(parts=parts):
            return " and ".join(_within(p) for p in parts)
        case AnyOf(parts=parts):
            return " or ".join(_within(p) for p in parts)
        case NotOf(part=part):
            return f"not ({in_words(part)})"
        case FieldTest(field=field, operator=operator, written=written):
            return f"{NAMES.get(field.path) or bare(field.path)} {_compared(operator, written)}"
        case EventTest():
            return event_in_words(rule)
        case _:
            assert_never(rule)


def event_in_words(test: EventTest) -> str:
    """For example `order.placed happened at least 2 times within 30d where (total is at least 5000)`."""
    times = f" at least {test.at_least} times" if test.at_least > 1 else ""
    within = f" within {test.within_written}" if test.within_written else ""
    where = f" where ({' and '.join(_data(t) for t in test.where)})" if test.where else ""
    return f"{bare(test.type)} happened{times}{within}{where}"


def bare(text: str) -> str:
    """The text as one word, in quotation marks where it would not be read back as it stands."""
    is_plain = _BARE.fullmatch(text) and not _NUMBER.fullmatch(text) and text.lower() not in RESERVED
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _within(rule: Rule) -> str:
    match rule:
        case AllOf(parts=(only,)) | AnyOf(parts=(only,)):
            return _within(only)
        case AllOf() | AnyOf():
            return f"({in_words(rule)})"
        case _:
            return in_words(rule)


def _data(test: DataTest) -> str:
    return f"{bare(test.path)} {_compared(test.operator, test.written)}"


def _compared(operator: Operator, written: Any) -> str:
    if operator.name == "exists":
        return "is known" if written else "is unknown"
    between = " and " if operator.operand == "pair" else ", "
    values = written if isinstance(written, list) else [written]
    return f"{operator.phrase} {between.join(_value(value) for value in values)}"


def _value(written: Any) -> str:
    if isinstance(written, bool):
        return "yes" if written else "no"
    return bare(written) if isinstance(written, str) else json.dumps(written)

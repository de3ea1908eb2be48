"""Whether conditions exclude each other whoever the customer is, so that a segment which nobody can be in is noticed when it is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain, pairwise, product
from typing import Any, assert_never

from nextwave_contracts.fields import Field

from nextwave_orchestrator.rules.text import in_words
from nextwave_orchestrator.rules.tree import AllOf, AnyOf, EventTest, FieldTest, NotOf, Rule

WAYS_MAX = 200
"""Ways in which conditions can hold together that are looked at; where there are more, nothing is said."""
WORK_MAX = 200_000
"""Values compared with conditions, and conditions put together, in the judgements of one lint; beyond it nothing is said."""
DECIDED = frozenset({"eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte", "between", "exists"})
"""Operators whose answer can change only at the values that are written; of all others only the very opposite is noticed."""
_NOW = datetime(2000, 1, 1, tzinfo=UTC)
"""None of these operators asks for it."""

Literal = tuple[FieldTest | EventTest, bool]
"""A leaf, and whether it is to hold."""


class TooManyError(Exception):
    """There is more to look at than is looked at."""


class Judge:
    """Judges rules with a bounded effort for all of its judgements together."""

    def __init__(self) -> None:
        self._left = WORK_MAX

    def never_together(self, wanted: Iterable[tuple[Rule, bool]]) -> bool:
        """Whether no customer at all has these rules hold, and not hold, as wanted. False also where that is too much to find out."""
        try:
            together = self._joined(self._ways(rule, holds) for rule, holds in wanted)
            return not any(self._is_possible(way) for way in together)
        except TooManyError:
            return False

    def _spend(self, work: int) -> None:
        if work > self._left:
            raise TooManyError
        self._left -= work

    def _ways(self, rule: Rule, holds: bool) -> list[tuple[Literal, ...]]:
        """Every way in which the rule holds (or does not): the leaves that must and must not hold together."""
        match rule:
            case FieldTest() | EventTest():
                return [((rule, holds),)]
            case NotOf(part=part):
                return self._ways(part, not holds)
            case AllOf(parts=parts) | AnyOf(parts=parts):
                several = (self._ways(part, holds) for part in parts)
                return self._joined(several) if isinstance(rule, AllOf) is holds else self._bounded(chain.from_iterable(several))
            case _:
                assert_never(rule)

    def _joined(self, several: Iterable[list[tuple[Literal, ...]]]) -> list[tuple[Literal, ...]]:
        joined: list[tuple[Literal, ...]] = [()]
        for ways in several:
            joined = self._bounded((*before, *way) for before, way in product(joined, ways))
        return joined

    def _bounded(self, ways: Iterable[tuple[Literal, ...]]) -> list[tuple[Literal, ...]]:
        found: list[tuple[Literal, ...]] = []
        for way in ways:
            self._spend(1)
            found.append(way)
            if len(found) > WAYS_MAX:
                raise TooManyError
        return found

    def _is_possible(self, way: Sequence[Literal]) -> bool:
        decided: dict[str, list[tuple[FieldTest, bool]]] = defaultdict(list)
        opaque: dict[str, bool] = {}
        for leaf, holds in way:
            if isinstance(leaf, FieldTest) and leaf.operator.name in DECIDED:
                decided[leaf.field.path].append((leaf, holds))
                continue
            self._spend(_length(leaf))
            if opaque.setdefault(in_words(leaf), holds) is not holds:
                return False
        return all(self._has_a_value(tests) for tests in decided.values())

    def _has_a_value(self, tests: Sequence[tuple[FieldTest, bool]]) -> bool:
        self._spend(len(tests) * sum(_length(test) for test, _ in tests))
        candidates = _candidates(tests[0][0].field, [value for test, _ in tests for value in _written(test)])
        return any(all(test.operator.holds(value, test.operand, _NOW) is holds for test, holds in tests) for value in candidates)


def _length(leaf: FieldTest | EventTest) -> int:
    """How many values it names."""
    if isinstance(leaf, FieldTest):
        return len(_written(leaf))
    return 1 + sum(len(part.written) if isinstance(part.written, list) else 1 for part in leaf.where)


def _written(test: FieldTest) -> list[Any]:
    return test.written if isinstance(test.written, list) else [test.written]


def _candidates(field: Field, written: Sequence[Any]) -> list[Any]:
    """Values of the field between which no test can tell more: those written, one between any two, one beyond, and none."""
    if field.values:
        return [*field.values, None]
    numbers = sorted({v for v in written if isinstance(v, (int, float)) and not isinstance(v, bool)} | {0})
    between = [(a + b) / 2 for a, b in pairwise(numbers)]
    texts = [v for v in written if isinstance(v, str)]
    kinds: dict[str, list[Any]] = {
        "number": [*numbers, *between, numbers[0] - 1, numbers[-1] + 1],
        "text": [*texts, "".join(texts) + "x"],
        "flag": [True, False],
        "list": [("x",)],
        "instant": [_NOW],
    }
    return [*(chain.from_iterable(kinds.values()) if field.type == "any" else kinds[field.type]), None]

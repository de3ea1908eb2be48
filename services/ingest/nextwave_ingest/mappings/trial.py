"""What a mapping would make of a sample, and why: rule by rule, condition by condition. PURE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from nextwave_contracts.holds import Hold

from nextwave_ingest.admission import Accepted, Admitted, Refusal, RefusedError, Report
from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.conditions import conditions
from nextwave_ingest.mappings.document import Document, Rule
from nextwave_ingest.mappings.effort import Meter, measured
from nextwave_ingest.mappings.paths import Path
from nextwave_ingest.mappings.seeing import seen
from nextwave_ingest.mappings.values import Reader

Weigh = Callable[[Report | RefusedError, bytes, str, datetime], Admitted | Refusal]
"""What is understood of an item, the item, its source, and when it came: whether it is admitted."""
Tables = Mapping[str, Mapping[str, Any]]
SHOWN_MAX = 20
"""Items of a sample that are shown, and values found at a path."""


class Tested(msgspec.Struct, frozen=True):
    """One condition: what should lie at the path, and what does (nothing: an empty list)."""

    path: str
    wanted: Any
    found: list[Any]
    holds: bool


class TriedRule(msgspec.Struct, frozen=True):
    """One rule by its place in the mapping, from 0."""

    rule: int
    holds: bool
    conditions: list[Tested]


class Said(msgspec.Struct, frozen=True):
    """Why something is no touchpoint, and what to do."""

    pointer: str
    detail: str


class Tried(msgspec.Struct, frozen=True):
    """One item, as the rules see it, and what it would be. With no touchpoint and no refusal it is ignored."""

    item: Any
    ignored: bool
    touchpoints: list[Accepted]
    holds: list[Hold]
    refusals: list[Said]
    warnings: list[Said]
    rules: list[TriedRule]


def attempt(mapping: Compiled, item: bytes, taken: tuple[str, datetime], weigh: Weigh, meter: Meter) -> Tried:
    """What would become of an item, `taken` from a source at an instant, measured with the other items of its body."""
    source, at = taken
    verdicts = [weigh(report, item, source, at) for report in mapping.understand_all(item, source=source, received_at=at, meter=meter)]
    admitted = [verdict for verdict in verdicts if isinstance(verdict, Admitted)]
    return Tried(
        item=msgspec.Raw(item),
        ignored=not verdicts,
        touchpoints=[one.touchpoint for one in admitted],
        holds=[hold for one in admitted for hold in one.holds],
        refusals=[Said(verdict.error.pointer, verdict.error.detail) for verdict in verdicts if isinstance(verdict, Refusal)],
        warnings=[Said(*doubt) for one in admitted for doubt in one.doubts],
        rules=_rules(mapping.document, item),
    )


def _rules(document: Document, item: bytes) -> list[TriedRule]:
    try:
        values = seen(item)
    except RefusedError:
        return []
    meter = Meter()
    meter.at_an_item(2)  # whether a condition holds, and what is there
    with measured(meter):
        return [_rule(n, rule, document.tables, values) for n, rule in enumerate(document.touchpoints)]


def _rule(number: int, rule: Rule, tables: Tables, values: Any) -> TriedRule:
    tested = [_tested(path, wanted, tables, values) for path, wanted in rule.when.items()]
    return TriedRule(number, all(one.holds for one in tested), tested)


def _tested(path: str, wanted: Any, tables: Tables, values: Any) -> Tested:
    try:
        holds = conditions({path: wanted}, Reader(tables), "").failing(values) is None
        return Tested(path, wanted, Path(path).values(values, SHOWN_MAX), holds)
    except RefusedError:  # too much effort, which is among the refusals
        return Tested(path, wanted, [], holds=False)

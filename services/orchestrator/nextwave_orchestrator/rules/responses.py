"""What counts as an answer (responses), as the goal, or as an entry: conditions on one happening, not on the whole customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nextwave_contracts.faults import Fault, raise_any, step

from nextwave_orchestrator.catalogue import EventPredicate, Happening
from nextwave_orchestrator.rules.compile import compile_event
from nextwave_orchestrator.rules.events import read_event
from nextwave_orchestrator.rules.tree import EventTest

MOST_EVENTS = 50
SHAPES = 'write {"any": [{"event": ..., "where": ...}, {"outcome": "answered"}]}'


def read_response(raw: Any, pointer: str = "") -> tuple[EventTest, ...]:
    """The events of which any one counts; none for `{}`. Raises `FaultyError` with all faults."""
    faults: list[Fault] = []
    tests = _read(raw, pointer, faults) if raw != {} else ()
    raise_any(faults)
    return tests


def compile_any(tests: tuple[EventTest, ...]) -> EventPredicate:
    """Whether a happening is one of these; always false for none."""
    predicates = tuple(compile_event(t) for t in tests)
    types = frozenset(t.type for t in tests)

    def is_one(happening: Happening) -> bool:
        return happening.type in types and any(is_it(happening) for is_it in predicates)

    return is_one


def _read(raw: Any, at: str, faults: list[Fault]) -> tuple[EventTest, ...]:
    if isinstance(raw, Mapping) and set(raw) == {"any"} and isinstance(raw["any"], list) and 1 <= len(raw["any"]) <= MOST_EVENTS:
        leaves = (_leaf(part, at + "/any" + step(n), faults) for n, part in enumerate(raw["any"]))
        return tuple(leaf for leaf in leaves if leaf is not None)
    leaf = _leaf(raw, at, faults)
    return () if leaf is None else (leaf,)


def _leaf(raw: Any, at: str, faults: list[Fault]) -> EventTest | None:
    if not isinstance(raw, Mapping) or not {"event", "outcome"} & set(raw):
        faults.append(Fault(at, "this is no event or outcome", SHAPES))
        return None
    strange = sorted(str(k) for k in raw if k not in {"event", "outcome", "where"})
    faults.extend(Fault(at + step(name), f"{name!r:.60} does not apply to a single event", SHAPES) for name in strange)
    return None if strange else read_event(raw, at, faults)

"""Takes rules over from JsonLogic: exactly the same customers pass, or the rule is refused where it has no equivalent here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nextwave_contracts.faults import Fault, FaultyError, raise_any, step

from nextwave_orchestrator.rules.jsonlogic import comparisons as asked
from nextwave_orchestrator.rules.jsonlogic.connectives import Truth, both, either, negate
from nextwave_orchestrator.rules.jsonlogic.variables import Terms
from nextwave_orchestrator.rules.parse import MOST_NODES, read_rule
from nextwave_orchestrator.rules.tree import Rule

DEEPEST = 40
"""Nesting of what is imported; the rule that comes of it has its own, smaller limit."""
JOINING = ("and", "or", "!", "!!", "if", "?:")
ASKED: Mapping[str, Callable[[Terms, list[Any], str], Truth]] = {
    "==": asked.equal,
    "===": asked.equal,
    "!=": lambda terms, arguments, at: negate(asked.equal(terms, arguments, at)),
    "!==": lambda terms, arguments, at: negate(asked.equal(terms, arguments, at)),
    **{name: partial(asked.ordered, name=name) for name in asked.ORDER},
    "in": asked.within,
    "some": asked.some,
    "none": lambda terms, arguments, at: negate(asked.some(terms, arguments, at)),
    "var": asked.truthy,
    "missing": asked.missing,
    "missing_some": asked.missing_some,
}
"""What asks for fields, by operator."""
COMPUTED = frozenset(("+", "-", "*", "/", "%", "min", "max", "map", "reduce", "filter", "merge", "cat", "substr", "log", "all"))


def import_jsonlogic(raw: Any, pointer: str = "", fields: Mapping[str, str] | None = None) -> tuple[dict[str, Any], Rule]:
    """The rule as ours, as it is written and checked; `fields` says which field each variable is, where their names differ.

    It holds where JsonLogic's answer is truthy, as its reference implementation has it (json-logic-js, by jsonlogic.com): a missing
    variable is null, which is 0 to `<` and `>` and equal to nothing but null; 0, empty texts and empty lists are not truthy. One thing
    differs: values are compared with values of their own type alone, so that a trait "7" is not 7, and a list is truthy. Raises
    `FaultyError` with every place that has no equivalent.
    """
    reader = _Reader(Terms(fields or {}))
    truth = reader.truth(raw, pointer, 1)
    raise_any(reader.terms.faults)
    if isinstance(truth, bool):
        raise FaultyError([Fault(pointer, f"always {str(truth).lower()}, whoever the customer is", "ask for at least one field")])
    try:
        return truth, read_rule(truth)
    except FaultyError as wrong:
        raise FaultyError(Fault(pointer, f"becomes a rule that is {f.detail}", f.fix) for f in wrong.faults) from wrong


class _Reader:
    """One pass over one rule."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._nodes = 0

    def truth(self, raw: Any, at: str, depth: int) -> Truth:
        """When the expression is truthy."""
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            is_told = depth <= DEEPEST and self._nodes > MOST_NODES + 1
            return False if is_told else self.terms.refuse(at, "too large a rule", "split it into several segments")
        if not isinstance(raw, dict):
            return bool(raw)
        if len(raw) != 1:
            return self.terms.refuse(at, "not one operator", 'write {"operator": [arguments]}, and one operator in each object')
        ((name, written),) = raw.items()
        arguments = written if isinstance(written, list) else [written]
        place = at + step(name)
        if name in JOINING:
            return _joined(name, [self.truth(part, place + step(n), depth + 1) for n, part in enumerate(arguments)])
        return self._asked(name, arguments, place)

    def _asked(self, name: str, arguments: list[Any], at: str) -> Truth:
        """What asks for fields."""
        ask = ASKED.get(name)
        if ask is not None:
            return ask(self.terms, arguments, at)
        if name in COMPUTED:
            fix = "compute it before, send it as a trait, and ask for traits.<name>"
            return self.terms.refuse(at, f"{name!r} computes a value", fix)
        return self.terms.refuse(at, f"there is no operator {name!r:.40}", f"use {', '.join((*JOINING, *ASKED))}")


def _joined(name: str, parts: list[Truth]) -> Truth:
    match name:
        case "and":
            return both(parts) if parts else False
        case "or":
            return either(parts)
        case "!":
            return negate(parts[0]) if parts else True
        case "!!":
            return parts[0] if parts else False
        case _:
            return _chosen(parts)


def _chosen(parts: list[Truth]) -> Truth:
    """`if`, `then`, `else if`, `then`, ..., `else`, which is false where it is left out."""
    chosen = parts[-1] if len(parts) % 2 else False
    for n in reversed(range(0, len(parts) - 1, 2)):
        chosen = either([both(parts[n : n + 2]), both([negate(parts[n]), chosen])])
    return chosen

"""Comparisons of JsonLogic: each becomes conditions on one field that pass the same values, the missing one included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nextwave_contracts.faults import step

from nextwave_orchestrator.rules.jsonlogic.connectives import Truth, both, either, negate
from nextwave_orchestrator.rules.jsonlogic.variables import Terms, Variable, is_number, is_variable

ORDER: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "<": ("lt", lambda a, b: a < b),
    "<=": ("lte", lambda a, b: a <= b),
    ">": ("gt", lambda a, b: a > b),
    ">=": ("gte", lambda a, b: a >= b),
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_LIST_FIX = 'write {"some": [{"var": ...}, {"==": [{"var": ""}, "x"]}]} or {"in": [{"var": ""}, ["x", "y"]]}'


def ordered(terms: Terms, arguments: list[Any], at: str, *, name: str) -> Truth:
    """`<`, `<=`, `>`, `>=`; of three, the one in the middle lies between. A missing number is 0, as null is in JavaScript."""
    if len(arguments) == 3 and name in {"<", "<="}:
        low, middle, high = arguments
        return both(ordered(terms, pair, at, name=name) for pair in ([low, middle], [middle, high]))
    found = terms.sides(arguments, at)
    if found is None:
        return False
    variable, constant, is_turned = found
    name = _TURNED[name] if is_turned else name
    type_, default = variable.field.type, variable.default
    if type_ == "instant":
        return _earlier(terms, name, variable, constant, at)
    if type_ not in {"number", "any"} or not is_number(constant) or not (default is None or is_number(default)):
        return terms.refuse(at, f"{name} between {variable.field.path} ({type_}) and {constant!r:.40}", "order numbers with numbers")
    operator, holds = ORDER[name]
    return terms.or_missing(terms.leaf(variable, operator, constant, at), variable, holds=holds(default or 0, constant))


def _earlier(terms: Terms, name: str, variable: Variable, constant: Any, at: str) -> Truth:
    """Instants are ordered as texts there, which null passes as little as a missing one here."""
    if variable.default is not None:
        return terms.refuse(at, f"a default for the instant {variable.field.path}", "leave the default out")
    if name in {"<", ">"}:
        return terms.leaf(variable, "before" if name == "<" else "after", constant, at)
    known, beyond = terms.leaf(variable, "exists", True, at), terms.leaf(variable, "after" if name == "<=" else "before", constant, at)
    return both([known, negate(beyond)])


def equal(terms: Terms, arguments: list[Any], at: str) -> Truth:
    """`==` and `===`; null is equal to what is missing, and to nothing else."""
    found = terms.sides(arguments, at)
    if found is None:
        return False
    variable, constant, _ = found
    if constant is None:
        return terms.leaf(variable, "exists", False, at) if variable.default is None else False
    if variable.field.type in {"list", "instant"}:
        return terms.refuse(at, f"equality with {variable.field.path} ({variable.field.type})", "ask with in, some, < or >")
    return terms.or_missing(terms.leaf(variable, "eq", constant, at), variable, holds=_is_same(variable.default, constant))


def _is_same(one: Any, other: Any) -> bool:
    """As `===` has it: true is not 1, but 1.0 is."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def within(terms: Terms, arguments: list[Any], at: str) -> Truth:
    """`in`: a text in a text or list field, or a field among constants."""
    needle, hay = arguments if len(arguments) == 2 else (None, None)
    if isinstance(needle, str) and needle and is_variable(hay):
        held_by = terms.variable_of(hay, at + "/1")
        if held_by is None:
            return False
        is_held = isinstance(held_by.default, (str, list)) and needle in held_by.default
        return terms.or_missing(terms.leaf(held_by, "contains", needle, at), held_by, holds=is_held)
    if is_variable(needle) and isinstance(hay, list) and hay:
        variable = terms.variable_of(needle, at + "/0")
        if variable is None:
            return False
        is_default = any(_is_same(variable.default, value) for value in hay)
        return terms.or_missing(_among(terms, variable, hay, at + "/1"), variable, holds=is_default)
    return terms.refuse(at, "neither a text in a variable nor a variable in a list", 'write {"in": ["x", {"var": ...}]} or the list second')


def _among(terms: Terms, variable: Variable, values: list[Any], at: str) -> Truth:
    """One list for numbers and one for texts, since ours hold values of one type."""
    numbers, texts = [v for v in values if is_number(v)], [v for v in values if isinstance(v, str)]
    if len(numbers) + len(texts) + values.count(None) < len(values):
        return terms.refuse(at, "a list of more than numbers and texts", "list numbers or texts; ask for yes and no with ==")
    wanted = [kind for kind, type_ in ((numbers, "number"), (texts, "text")) if kind and variable.field.type in {"any", type_}]
    return either([terms.leaf(variable, "in", kind, at) for kind in wanted])


def some(terms: Terms, arguments: list[Any], at: str) -> Truth:
    """`some` over a list field: whether it holds this text, or one of these."""
    variable = terms.variable_of(arguments[0], at + "/0") if len(arguments) == 2 and is_variable(arguments[0]) else None
    if variable is None or variable.field.type != "list":
        return terms.refuse(at, "not a question whether a list field holds a text", _LIST_FIX)
    match arguments[1]:
        case {"==": [{"var": ""}, str(wanted)]} | {"===": [{"var": ""}, str(wanted)]}:
            return terms.leaf(variable, "contains", wanted, at)
        case {"in": [{"var": ""}, list(several)]}:
            return terms.leaf(variable, "contains_any", several, at)
    return terms.refuse(at + "/1", "not a question for one text or one of several", _LIST_FIX)


def missing(terms: Terms, arguments: list[Any], at: str) -> Truth:
    """Whether one of these is null or an empty text."""
    names = arguments[0] if arguments and isinstance(arguments[0], list) else arguments
    return either(_absent(terms, names, at))


def missing_some(terms: Terms, arguments: list[Any], at: str) -> Truth:
    """Whether fewer than so many are there, for one and for all of them."""
    needed, names = arguments if len(arguments) == 2 else (None, None)
    if isinstance(names, list) and names and needed in (1, len(names)):
        return (both if needed == 1 else either)(_absent(terms, names, at + "/1"))
    return terms.refuse(at, "neither one nor all of the names needed", "ask with and, or and missing")


def _absent(terms: Terms, names: list[Any], at: str) -> list[Truth]:
    """Where each of these is null or an empty text, which `missing` takes for the same."""
    found = ((terms.variable([name], at + step(n)), at + step(n)) for n, name in enumerate(names))
    return [either([terms.leaf(v, "exists", False, place), *_blank(terms, v, place)]) for v, place in found if v is not None]


def _blank(terms: Terms, variable: Variable, at: str) -> list[Truth]:
    may_be = variable.field.type in {"text", "any"} and not variable.field.values
    return [terms.leaf(variable, "eq", "", at)] if may_be else []


def truthy(terms: Terms, arguments: list[Any], at: str) -> Truth:
    """A variable by itself: neither missing nor false, 0 or an empty text."""
    variable = terms.variable(arguments, at)
    return False if variable is None else terms.or_missing(_truthy(terms, variable, at), variable, holds=bool(variable.default))


def _truthy(terms: Terms, variable: Variable, at: str) -> Truth:
    match variable.field.type:
        case "list":
            return terms.refuse(at, f"whether the list {variable.field.path} is empty", "ask whether it holds something in particular")
        case "any":
            falsy = either(terms.leaf(variable, "eq", value, at) for value in (False, 0, ""))
            return both([terms.leaf(variable, "exists", True, at), negate(falsy)])
        case "flag":
            return terms.leaf(variable, "eq", True, at)
        case "number":
            return terms.leaf(variable, "ne", 0, at)
        case "text" if not variable.field.values:
            return terms.leaf(variable, "ne", "", at)
        case _:
            return terms.leaf(variable, "exists", True, at)

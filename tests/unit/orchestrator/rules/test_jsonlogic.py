"""A rule taken over from JsonLogic chooses the same customers, or is refused where it cannot."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.customers import ContactPoint, Orders, Registered, Snapshot
from nextwave_contracts.faults import FaultyError
from nextwave_contracts.fields import field
from nextwave_orchestrator.catalogue import Facts, Predicate
from nextwave_orchestrator.rules.compile import compile_rule
from nextwave_orchestrator.rules.jsonlogic.reading import import_jsonlogic
from nextwave_orchestrator.rules.text import in_words
from unit.orchestrator.rules.rule_world import NOW, ann, leaf
from unit.orchestrator.rules.slow_jsonlogic import evaluate, truthy

NUMBERS, TEXTS = ("satisfaction", "refusals", "traits.age"), ("country", "traits.plan")
FLAGS, LISTS, INSTANTS = ("unsatisfied", "traits.vip"), ("products", "channels"), ("orders.last_at",)
EVERY = (*NUMBERS, *TEXTS, *FLAGS, *INSTANTS)

numbers = st.sampled_from([-1, 0, 0.5, 1, 2, 3])
words = st.sampled_from(["DE", "FR", "gold", "old", "D"])
days = st.sampled_from(["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"])


def var(paths: tuple[str, ...], default: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[Any]:
    bare = st.sampled_from(paths).map(lambda path: {"var": path})
    return bare if default is None else bare | st.builds(lambda path, d: {"var": [path, d]}, st.sampled_from(paths), default)


def pair(operators: tuple[str, ...], one: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda op, a, b, turn: {op: [b, a] if turn else [a, b]}, st.sampled_from(operators), one, other, st.booleans())


EQUALITIES = ("==", "===", "!=", "!==")
ORDERS = ("<", "<=", ">", ">=")
leaves = st.one_of(
    pair(ORDERS, var(NUMBERS, numbers), numbers),
    pair(EQUALITIES, var(NUMBERS, numbers), numbers | st.none()),
    pair(EQUALITIES, var(TEXTS, words), words | st.none()),
    pair(EQUALITIES, var(FLAGS, st.booleans()), st.booleans() | st.none()),
    pair(ORDERS, var(INSTANTS), days),
    st.builds(lambda op, a, v, b: {op: [a, v, b]}, st.sampled_from(["<", "<="]), numbers, var(NUMBERS, numbers), numbers),
    st.builds(lambda v, several: {"in": [v, several]}, var(TEXTS, words), st.lists(words | st.none(), min_size=1, max_size=3)),
    st.builds(lambda v, several: {"in": [v, several]}, var(NUMBERS, numbers), st.lists(numbers | words, min_size=1, max_size=3)),
    st.builds(lambda word, v: {"in": [word, v]}, words, var((*TEXTS, *LISTS), words)),
    st.builds(lambda op, v, word: {op: [v, {"==": [{"var": ""}, word]}]}, st.sampled_from(["some", "none"]), var(LISTS), words),
    st.builds(lambda v, several: {"some": [v, {"in": [{"var": ""}, several]}]}, var(LISTS), st.lists(words, min_size=1, max_size=2)),
    var((*NUMBERS, *TEXTS, *FLAGS), st.sampled_from([0, 1, "", "x", True])),
    st.lists(st.sampled_from(EVERY), min_size=1, max_size=3).map(lambda names: {"missing": names}),
    st.lists(st.sampled_from(EVERY), min_size=1, max_size=3).flatmap(
        lambda names: st.sampled_from([1, len(names)]).map(lambda n: {"missing_some": [n, names]})
    ),
    st.booleans() | st.sampled_from([0, "", "0", None]),
)
logics = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda op, parts: {op: parts}, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda op, part: {op: part}, st.sampled_from(["!", "!!"]), inner.filter(lambda part: isinstance(part, dict))),
        st.builds(lambda op, part: {op: [part]}, st.sampled_from(["!", "!!"]), inner),
        st.builds(lambda parts: {"if": parts}, st.lists(inner, min_size=1, max_size=5)),
        st.builds(lambda parts: {"?:": parts}, st.lists(inner, min_size=3, max_size=3)),
    ),
    max_leaves=6,
)


@st.composite
def people(draw: st.DrawFn) -> Snapshot:
    traits = {
        name: draw(values)
        for name, values in (("age", numbers), ("plan", words | st.just("")), ("vip", st.booleans()))
        if draw(st.booleans())
    }
    last_at = draw(st.none() | st.sampled_from([datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)]))
    products = tuple(Registered(name=name) for name in draw(st.lists(words, max_size=2)))
    return ann(
        satisfaction=draw(st.none() | st.sampled_from([1.0, 2.0, 3.0])),
        refusals=draw(st.integers(0, 2)),
        country=draw(st.sampled_from(["", "DE", "FR"])),
        unsatisfied=draw(st.booleans()),
        orders=Orders(last_at=last_at),
        products=products,
        contact_points=(ContactPoint(channel="email", address="a@b.c"),),
        traits=traits,
    )


def as_data(profile: Snapshot) -> dict[str, Any]:
    """What JsonLogic sees of a customer: the fields as nested objects, instants as texts, and nothing where nothing is known."""
    flat = {path: field(path).read(profile) for path in (*NUMBERS[:2], TEXTS[0], FLAGS[0], *LISTS)}
    data = {path: list(value) if isinstance(value, tuple) else value for path, value in flat.items() if value is not None}
    last_at = profile.orders.last_at
    return data | {"traits": profile.traits, "orders": {} if last_at is None else {"last_at": last_at.isoformat().replace("+00:00", "Z")}}


@settings(deadline=None, max_examples=400)
@given(logics, people())
def test_an_imported_rule_holds_exactly_where_jsonlogic_is_truthy(logic: Any, profile: Snapshot) -> None:
    expected = truthy(evaluate(logic, as_data(profile)))
    assert imported(logic)(Facts(profile, [], NOW)) is expected


def imported(logic: Any) -> Predicate:
    """The imported rule; for one that asks for nothing, that which its refusal says."""
    try:
        return compile_rule(import_jsonlogic(logic)[1])
    except FaultyError as refused:
        (fault,) = refused.faults
        always = re.match("always (true|false)", fault.detail)
        if always is None:
            raise
        return lambda _: always[1] == "true"


REFUSED: list[tuple[Any, str, str]] = [
    ({"+": [{"var": "refusals"}, 1]}, "/+", "traits"),
    ({">": [{"+": [1, 2]}, 3]}, "/>", "compare a field with a value"),
    ({"and": [{"==": [{"var": "refusal"}, 1]}, True]}, "/and/0/==/0/var", "did you mean refusals?"),
    ({"<": [{"var": "refusals"}, {"var": "satisfaction"}]}, "/<", "compare a field with a value"),
    ({"<": [{"var": "country"}, 5]}, "/<", "order numbers"),
    ({"==": [{"var": "refusals"}, "1"]}, "/==", "a number"),
    ({"==": [{"var": "churn.band"}, "hihg"]}, "/==", "elevated"),
    ({"if": [{"var": "products"}, True, False]}, "/if/0/var", "something in particular"),
    ({"all": [{"var": "products"}, {"==": [{"var": ""}, "x"]}]}, "/all", "traits"),
    ({"some": [{"var": "products"}, {">": [{"var": ""}, 1]}]}, "/some/1", "some"),
    ({"missing_some": [2, ["country", "refusals", "stage"]]}, "/missing_some", "and, or"),
    ({"like": [{"var": "country"}, "D%"]}, "/like", "use and, or"),
    ({"and": [], "or": []}, "", "one operator"),
    ({"or": [{"var": "country"}, True]}, "", "at least one field"),
    ({"var": [{"var": "x"}]}, "/var", "name its field"),
]


@pytest.mark.parametrize(("logic", "pointer", "fix"), REFUSED)
def test_what_has_no_equivalent_is_refused_at_its_place_with_a_fix(logic: Any, pointer: str, fix: str) -> None:
    with pytest.raises(FaultyError) as refused:
        import_jsonlogic(logic, "/jsonlogic")
    assert [f.pointer for f in refused.value.faults] == ["/jsonlogic" + pointer]
    assert fix in refused.value.faults[0].fix


def test_every_place_without_an_equivalent_is_told_at_once() -> None:
    with pytest.raises(FaultyError) as refused:
        import_jsonlogic({"or": [{"cat": ["a"]}, {"!": {"==": [{"var": "nothing"}, 1]}}, {"<": [{"var": "zones"}, 1]}]})
    assert [f.pointer for f in refused.value.faults] == ["/or/0/cat", "/or/1/!/0/==/0/var", "/or/2/<"]


def test_variables_of_another_name_are_mapped_to_fields() -> None:
    raw, rule = import_jsonlogic(
        {"and": [{">=": [{"var": "age"}, 18]}, {"==": [{"var": "tier"}, "gold"]}]}, "", {"age": "traits.age", "tier": "traits.plan"}
    )
    assert raw == {"all": [leaf("traits.age", "gte", 18), leaf("traits.plan", "eq", "gold")]}
    assert in_words(rule) == "traits.age is at least 18 and traits.plan is gold"


def test_a_missing_number_is_less_than_one_as_it_is_there() -> None:
    raw, _ = import_jsonlogic({"<": [{"var": "satisfaction"}, 3]})
    assert raw == {"any": [leaf("satisfaction", "lt", 3), leaf("satisfaction", "exists", value=False)]}


@pytest.mark.parametrize("deep", [{"!": None}, {"if": [None, True, None]}])
def test_a_rule_beyond_the_limits_is_refused_and_not_unfolded(deep: dict[str, Any]) -> None:
    logic: Any = {"var": "country"}
    for _ in range(60):
        logic = {
            name: [logic if part is None else part for part in parts] if isinstance(parts, list) else [logic]
            for name, parts in deep.items()
        }
    with pytest.raises(FaultyError, match="too large a rule"):
        import_jsonlogic(logic)

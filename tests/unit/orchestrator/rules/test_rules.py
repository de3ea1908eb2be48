"""Rules are refused with pointer and fix when saved, never raise when evaluated, and explain exactly what they answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.customers import Churn, ContactPoint, Orders, Snapshot, Value
from nextwave_contracts.fields import FIELDS, field
from nextwave_orchestrator.catalogue import Facts, Happening
from nextwave_orchestrator.faults import FaultyError
from nextwave_orchestrator.rules.compile import compile_rule
from nextwave_orchestrator.rules.explain import explain
from nextwave_orchestrator.rules.operators import OPERATORS
from nextwave_orchestrator.rules.parse import DEEPEST, MOST_NODES, read_rule
from nextwave_orchestrator.rules.responses import compile_any, read_response
from nextwave_orchestrator.rules.text import in_words

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ann(**changes: Any) -> Snapshot:
    known: dict[str, Any] = {
        "customer_id": "c1",
        "version": 3,
        "churn": Churn(risk=0.7, band="high", horizon_days=90, model="rhythm-1"),
        "value": Value(cell="IV", current=90_000, potential=40_000),
        "orders": Orders(count=4, revenue=50_000, last_at=NOW - timedelta(days=40)),
        "activity": {"web": 2.5},
        "contact_points": (ContactPoint(channel="email", address="a@b.c"), ContactPoint(channel="sms", address="+1", bounced=True)),
        "country": "DE",
        "traits": {"plan": "gold", "seats": 7, "vip": True, "address": {"city": "Ulm"}, "tags": ["a", "b"], "since": "2024-02-29"},
    }
    return Snapshot(**(known | changes))


def facts(profile: Snapshot | None = None, *history: Happening) -> Facts:
    return Facts(profile or ann(), history, NOW)


def happening(type_: str, days_ago: float = 0, **data: Any) -> Happening:
    return Happening(type_, NOW - timedelta(days=days_ago), data)


def holds(raw: Any, given_facts: Facts | None = None) -> bool:
    return compile_rule(read_rule(raw))(given_facts or facts())


def leaf(path: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": path, "op": op} | ({} if value is None else {"value": value})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (leaf("churn.band", "in", ["high", "lost"]), True),
        (leaf("churn.risk", "gte", 0.7), True),
        (leaf("churn.risk", "between", [0.1, 0.2]), False),
        (leaf("orders.last_at", "older_than", "30d"), True),
        (leaf("orders.last_at", "newer_than", "30d"), False),
        (leaf("orders.last_at", "before", "2026-11-01"), True),
        (leaf("orders.first_at", "older_than", "1d"), False),
        (leaf("orders.first_at", "exists", False), True),
        (leaf("activity.web", "gt", 2), True),
        (leaf("activity.phone", "lt", 1), True),
        (leaf("channels", "contains", "email"), True),
        (leaf("channels", "contains", "sms"), False),
        (leaf("zones", "contains_any", ["Europe/Berlin"]), False),
        (leaf("traits.plan", "eq", "gold"), True),
        (leaf("traits.plan", "starts_with", "go"), True),
        (leaf("traits.address.city", "eq", "Ulm"), True),
        (leaf("traits.tags", "contains_all", ["a", "b"]), True),
        (leaf("traits.since", "after", "2024-01-01T00:00:00Z"), True),
        (leaf("traits.since", "older_than", "52w"), True),
        (leaf("traits.vip", "eq", 1), False),
        (leaf("traits.seats", "in", [7]), True),
        (leaf("satisfaction", "ne", 3), False),
        ({"not": leaf("satisfaction", "lt", 3)}, True),
        (leaf("satisfaction", "not_in", [1]), False),
        (leaf("unsatisfied", "eq", False), True),
        ({"all": [leaf("stage", "eq", "exploration"), {"any": [leaf("country", "eq", "FR"), leaf("country", "eq", "DE")]}]}, True),
    ],
)
def test_an_operator_answers_from_the_profile(raw: Any, expected: bool) -> None:
    assert holds(raw) is expected


def test_events_are_counted_within_their_time_and_by_their_data() -> None:
    rule = {"event": "page.viewed", "where": {"path": "/renew"}, "within": "30d", "at_least": 2}
    twice = facts(None, happening("page.viewed", 29, path="/renew"), happening("page.viewed", 1, path="/renew"))
    once = facts(None, happening("page.viewed", 31, path="/renew"), happening("page.viewed", 1, path="/renew"))
    other = facts(None, happening("page.viewed", 2, path="/"), happening("page.viewed", 1, path="/renew"))
    assert [holds(rule, f) for f in (twice, once, other)] == [True, False, False]


@pytest.mark.parametrize(
    ("where", "matches"),
    [
        ({"path": {"op": "starts_with", "value": "/ren"}}, True),
        ({"amount": {"op": "gte", "value": 100}}, True),
        ({"path": ["/a", "/renew"]}, True),
        ({"context.page": "x"}, True),
        ({"missing": {"op": "exists", "value": False}}, True),
        ({"missing": "x"}, False),
        ({"amount": "100"}, False),
        ({"path": "/renew", "amount": 3}, False),
    ],
)
def test_where_reads_the_data_of_an_event(where: Any, matches: bool) -> None:
    seen = happening("page.viewed", 1, path="/renew", amount=100, context={"page": "x"})
    assert holds({"event": "page.viewed", "where": where}, facts(None, seen)) is matches


def test_an_outcome_is_an_event_of_its_own_kind() -> None:
    answered = facts(None, happening("outcome.answered", 1))
    assert holds({"outcome": "answered"}, answered)
    assert not holds({"outcome": "refused"}, answered)


FAULTS: list[tuple[Any, str]] = [
    ([], ""),
    ({}, ""),
    ({"all": []}, "/all"),
    ({"all": [{"field": "churn.bnd", "op": "eq", "value": "high"}]}, "/all/0/field"),
    ({"not": {"any": [leaf("churn.risk", "contains", "x")]}}, "/not/any/0/op"),
    (leaf("churn.risk", "gte", "high"), "/value"),
    (leaf("churn.risk", "gte", True), "/value"),
    (leaf("churn.band", "in", ["hihg"]), "/value"),
    (leaf("stage", "in", "decline"), "/value"),
    (leaf("orders.last_at", "older_than", "a month"), "/value"),
    (leaf("orders.last_at", "before", "soon"), "/value"),
    (leaf("orders.count", "between", [3, 1]), "/value"),
    (leaf("traits.", "eq", 1), "/field"),
    ({"field": ["x"], "op": "eq", "value": 1}, "/field"),
    ({"field": "stage", "op": "eq", "value": "decline", "vlaue": 1}, "/vlaue"),
    ({"all": [leaf("stage", "exists")], "any": []}, ""),
    ({"event": ""}, "/event"),
    ({"event": "outcome.answred"}, "/event"),
    ({"outcome": "answred"}, "/outcome"),
    ({"event": "order.placed", "within": "month"}, "/within"),
    ({"event": "order.placed", "at_least": 0}, "/at_least"),
    ({"event": "order.placed", "where": []}, "/where"),
    ({"event": "order.placed", "where": {"a/b": {"op": "like", "value": "x"}}}, "/where/a~1b"),
    ({"event": "order.placed", "where": {"amount": {"op": "gt", "value": "x"}}}, "/where/amount"),
    ({"any": [{"all": [leaf("stage", "exists")] * MOST_NODES}]}, f"/any/0/all/{MOST_NODES - 2}"),
]


@pytest.mark.parametrize(("raw", "pointer"), FAULTS)
def test_a_wrong_rule_is_refused_with_the_place_and_the_fix(raw: Any, pointer: str) -> None:
    with pytest.raises(FaultyError) as refused:
        read_rule(raw)
    assert [f.pointer for f in refused.value.faults] == [pointer]
    assert all(f.fix and f.detail for f in refused.value.faults)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(FaultyError) as refused:
        read_rule({"all": [leaf("nothing", "eq", 1), leaf("stage", "gt", 1), leaf("refusals", "eq", "1")]}, "/rule")
    assert [f.pointer for f in refused.value.faults] == ["/rule/all/0/field", "/rule/all/1/op", "/rule/all/2/value"]


def test_a_rule_nested_too_deep_is_refused() -> None:
    raw: Any = leaf("stage", "exists")
    for _ in range(DEEPEST + 5):
        raw = {"not": raw}
    with pytest.raises(FaultyError, match="nested deeper"):
        read_rule(raw)


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(FaultyError) as refused:
        read_rule(leaf("churn.bamd", "eq", "high"))
    assert "churn.band" in refused.value.faults[0].fix


def test_a_missing_field_is_false_and_says_so() -> None:
    told = explain(read_rule(leaf("satisfaction", "lt", 3)), facts())
    assert (told.holds, told.missing, told.found) == (False, True, None)


def test_a_rule_reads_as_words() -> None:
    raw = {"all": [leaf("churn.band", "in", ["high", "lost"]), {"not": {"event": "order.placed", "within": "30d", "at_least": 2}}]}
    assert in_words(read_rule(raw)) == "churn.band is one of high, lost and not (at least 2 times order.placed within 30d)"


def test_a_response_is_any_of_its_events() -> None:
    is_response = compile_any(read_response({"any": [{"event": "page.viewed", "where": {"path": "/renew"}}, {"outcome": "answered"}]}))
    assert is_response(happening("page.viewed", 0, path="/renew"))
    assert is_response(happening("outcome.answered"))
    assert not is_response(happening("page.viewed", 0, path="/"))
    assert not compile_any(read_response({}))(happening("page.viewed"))


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ({"any": [leaf("stage", "exists")]}, "/any/0"),
        ({"any": [{"event": "order.placed", "within": "3d"}]}, "/any/0/within"),
        ({"all": [{"event": "order.placed"}]}, ""),
        ({"any": [{"outcome": "bought"}]}, "/any/0/outcome"),
    ],
)
def test_a_response_asks_for_single_events_only(raw: Any, pointer: str) -> None:
    with pytest.raises(FaultyError) as refused:
        read_response(raw)
    assert [f.pointer for f in refused.value.faults] == [pointer]


words = st.text(alphabet="ahgz01 /~é\0", max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.just("2026-01-01") | st.just("high"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["plan", "city", "x"]), inner, max_size=3),
    max_leaves=6,
)
operands: dict[str, st.SearchStrategy[Any]] = {
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "text": words,
    "scalar": words | st.integers() | st.booleans(),
    "several": st.lists(words, min_size=1, max_size=3),
    "texts": st.lists(words, min_size=1, max_size=3),
    "pair": st.tuples(st.integers(0, 5), st.integers(5, 9)).map(list),
    "instant": st.sampled_from(["2026-01-01", "2026-11-22T12:00:00Z"]),
    "duration": st.sampled_from(["1s", "30d"]),
    "flag": st.booleans(),
}
trait_leaves = st.sampled_from(sorted(OPERATORS)).flatmap(
    lambda op: st.builds(
        lambda path, value: {"field": path, "op": op, "value": value},
        st.sampled_from(["traits.plan", "traits.x.city", "traits.x"]),
        operands[OPERATORS[op].operand],
    )
)
field_leaves = st.sampled_from(
    [leaf(f.path, "exists") for f in FIELDS if "<" not in f.path] + [leaf("satisfaction", "lt", 3), leaf("zones", "contains", "x")]
)
event_leaves = st.builds(
    lambda type_, where, n: {"event": type_, "where": where, "within": "2d", "at_least": n},
    st.sampled_from(["order.placed", "page.viewed"]),
    st.sampled_from([{}, {"plan": "high"}, {"x": {"op": "gt", "value": 1}}, {"x.city": {"op": "older_than", "value": "1d"}}]),
    st.integers(1, 3),
)
rules = st.recursive(
    trait_leaves | field_leaves | event_leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
)
worlds = st.builds(
    lambda traits, history: Facts(ann(traits=traits), [Happening(t, NOW - timedelta(days=d), data) for t, d, data in history], NOW),
    st.dictionaries(st.sampled_from(["plan", "x"]), anything, max_size=2),
    st.lists(
        st.tuples(
            st.sampled_from(["order.placed", "page.viewed"]),
            st.integers(0, 4),
            st.dictionaries(st.sampled_from(["plan", "x"]), anything, max_size=2),
        ),
        max_size=4,
    ),
)


@settings(deadline=None)
@given(rules, worlds)
def test_every_accepted_rule_answers_every_customer_and_explains_the_same_answer(raw: Any, world: Facts) -> None:
    rule = read_rule(raw)
    answer = compile_rule(rule)(world)
    assert isinstance(answer, bool)
    assert explain(rule, world).holds is answer


@settings(deadline=None)
@given(anything)
def test_anything_at_all_is_either_a_rule_or_refused_with_faults(raw: Any) -> None:
    for shaped in (
        raw,
        {"all": raw},
        {"field": raw, "op": raw, "value": raw},
        {"event": raw, "where": raw, "within": raw, "at_least": raw},
    ):
        try:
            read_rule(shaped)
        except FaultyError as refused:
            told = refused.faults
        else:
            continue
        assert told


@settings(deadline=None)
@given(st.sampled_from(sorted(OPERATORS)), anything, st.data())
def test_no_operator_ever_raises(name: str, value: Any, data: st.DataObject) -> None:
    operator = OPERATORS[name]
    written = data.draw(operands[operator.operand])
    rule = read_rule({"field": "traits.x", "op": name, "value": written})
    assert isinstance(compile_rule(rule)(facts(ann(traits={"x": value}))), bool)


def test_every_published_field_can_be_read() -> None:
    for known in FIELDS:
        path = known.path.replace("<subject>", "web").replace("<name>", "plan")
        field(path).read(ann())

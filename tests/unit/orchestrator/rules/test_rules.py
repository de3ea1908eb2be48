"""Rules are refused with pointer and fix when saved, never raise when evaluated, and explain exactly what they answered."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_contracts.faults import FaultyError
from nextwave_contracts.fields import FIELDS, field
from nextwave_orchestrator.catalogue import Facts
from nextwave_orchestrator.rules.compile import compile_rule
from nextwave_orchestrator.rules.explain import explain
from nextwave_orchestrator.rules.parse import DEEPEST, MOST_EVENTS, MOST_NODES, read_rule
from nextwave_orchestrator.rules.responses import compile_any, read_response
from nextwave_orchestrator.rules.text import in_words
from nextwave_orchestrator.state import HISTORY_MAX
from unit.orchestrator.rules.rule_world import ann, facts, happening, leaf


def holds(raw: Any, given_facts: Facts | None = None) -> bool:
    return compile_rule(read_rule(raw))(given_facts or facts())


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
        ({"path": {"op": "exists"}}, True),
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
    ({"field": "traits.x", "op": "eq"}, "/value"),
    ({"all": [{"field": "stage", "op": "in"}]}, "/all/0/value"),
    ({"event": "order.placed", "where": {"total": {"op": "eq"}}}, "/where/total/value"),
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
    ({"event": "order.placed", "at_least": HISTORY_MAX + 1}, "/at_least"),
    ({"event": "order.placed", "where": []}, "/where"),
    ({"event": "order.placed", "where": {"a/b": {"op": "like", "value": "x"}}}, "/where/a~1b"),
    ({"event": "order.placed", "where": {"amount": {"op": "gt", "value": "x"}}}, "/where/amount"),
    ({"any": [{"all": [leaf("stage", "exists")] * MOST_NODES}]}, f"/any/0/all/{MOST_NODES - 2}"),
    ({"any": [leaf("stage", "exists")] * (MOST_NODES - 5) + [{"event": "a", "where": {"b": 1, "c": 1, "d": 1, "e": 1}}]}, "/any/251/where"),
    ({"any": [{"event": "order.placed"}] * (MOST_EVENTS + 3)}, f"/any/{MOST_EVENTS}"),
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
    assert in_words(read_rule(raw)) == "risk band is one of high, lost and not (order.placed happened at least 2 times within 30d)"


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


def test_every_published_field_can_be_read() -> None:
    for known in FIELDS:
        path = known.path.replace("<subject>", "web").replace("<name>", "plan")
        field(path).read(ann())

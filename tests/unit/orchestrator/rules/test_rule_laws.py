"""Laws of rules: total, explained as evaluated, and anything at all is either a rule or refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.faults import FaultyError
from nextwave_contracts.fields import FIELDS
from nextwave_orchestrator.catalogue import Facts, Happening
from nextwave_orchestrator.rules.compile import compile_rule
from nextwave_orchestrator.rules.explain import explain
from nextwave_orchestrator.rules.operators import OPERATORS
from nextwave_orchestrator.rules.parse import read_rule
from unit.orchestrator.rules.rule_world import NOW, ann, facts, leaf

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

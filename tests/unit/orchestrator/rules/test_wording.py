"""Every rule can be read by people, and what they read can be written as a rule again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.faults import Fault, FaultyError
from nextwave_contracts.fields import field
from nextwave_orchestrator.catalogue import Facts
from nextwave_orchestrator.rules.compile import compile_rule
from nextwave_orchestrator.rules.parse import read_rule
from nextwave_orchestrator.rules.text import NAMES, in_words
from nextwave_orchestrator.rules.wording import read_words
from unit.orchestrator.rules.rule_world import facts, leaf
from unit.orchestrator.rules.test_rule_laws import rules, worlds


@settings(deadline=None)
@given(rules, worlds)
def test_a_rule_in_words_is_read_back_as_the_same_rule(raw: Any, world: Facts) -> None:
    rule = read_rule(raw)
    written, again = read_words(in_words(rule))
    assert in_words(again) == in_words(rule)
    assert compile_rule(again)(world) is compile_rule(rule)(world)
    assert in_words(read_rule(written)) == in_words(rule)


@settings(deadline=None)
@given(st.text(alphabet='abis not(),"\\ 0.', max_size=40))
def test_any_text_at_all_is_either_a_rule_or_refused_with_its_place(text: str) -> None:
    refused: tuple[Fault, ...] = ()
    try:
        read_words(text, "/text")
    except FaultyError as wrong:
        refused = wrong.faults
    assert all(fault.pointer == "/text" and fault.fix for fault in refused)


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("risk band is high", leaf("churn.band", "eq", "high")),
        ("Risk Band is one of high, lost", leaf("churn.band", "in", ["high", "lost"])),
        ("churn.risk is between 0.2 and 0.5", leaf("churn.risk", "between", [0.2, 0.5])),
        ('traits.plan is "7"', leaf("traits.plan", "eq", "7")),
        ('"traits.my plan" is not gold', leaf("traits.my plan", "ne", "gold")),
        ("traits.vip is yes", leaf("traits.vip", "eq", True)),
        ("satisfaction is unknown", leaf("satisfaction", "exists", False)),
        ("last order is longer ago than 30d", leaf("orders.last_at", "older_than", "30d")),
        ("channels contains one of email, sms", leaf("channels", "contains_any", ["email", "sms"])),
        ("stage is decline and stage is known or refusals is 1", None),
        (
            "order.placed happened at least 2 times within 30d where (total is at least 5000 and method is card)",
            {"event": "order.placed", "at_least": 2, "within": "30d", "where": {"total": {"op": "gte", "value": 5000}, "method": "card"}},
        ),
    ],
)
def test_words_say_what_json_says(text: str, raw: Any) -> None:
    raw = raw or {"any": [{"all": [leaf("stage", "eq", "decline"), leaf("stage", "exists")]}, leaf("refusals", "eq", 1)]}
    assert in_words(read_words(text)[1]) == in_words(read_rule(raw))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at the end: here should be a field or an event"),
        ("risk band", "at the end: here should be how to compare"),
        ("risk bend is high", "at character 1 ('risk bend is high'): there is no field 'risk'"),
        ("risk band is high und stage is decline", "here should be and, or, or the end"),
        ("(risk band is high", "at the end: here should be )"),
        ("risk band is hihg", "churn.band is never 'hihg'"),
        ("order.placed happened at 2 times", "here should be least"),
        ('traits.plan is "gold', "a quotation mark that is never closed"),
        ("order.placed happened where (a is 1 and a is 2)", "two conditions on a"),
        ("(" * 13 + "stage is decline" + ")" * 13, "nested deeper than 12"),
        ("not " * 3000 + "stage is decline", "nested deeper than 12"),
    ],
)
def test_wrong_words_are_refused_where_they_go_wrong(text: str, said: str) -> None:
    with pytest.raises(FaultyError) as refused:
        read_words(text, "/text")
    assert said in refused.value.faults[0].detail


def test_every_name_is_one_fields_own() -> None:
    assert [field(path).path for path in NAMES] == list(NAMES)
    assert len({name.lower() for name in NAMES.values()}) == len(NAMES)
    for path, name in NAMES.items():
        assert read_words(f"{name} is known")[0]["field"] == path
    assert compile_rule(read_words("risk band is high and not (satisfaction is known)")[1])(facts())

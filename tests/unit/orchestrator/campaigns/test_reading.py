"""What owners send is read as they meant it, or refused with the place and the fix."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.documents import LARGEST, read_as, read_document, read_written
from nextwave_contracts.faults import FaultyError
from nextwave_orchestrator.campaigns.checks import AMOUNT_MAX, PRIORITY_MAX, campaign_faults, policy_faults, segment_faults
from nextwave_orchestrator.campaigns.definition import Campaign, Cap, Policy, Segment, Template
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.templates import template_faults
from unit.orchestrator.campaigns.winter import put, winter, written


def test_the_products_own_example_has_no_faults() -> None:
    assert campaign_faults(winter()) == []


def test_yaml_and_json_mean_the_same() -> None:
    assert read_as(read_document(msgspec.json.encode(winter()), "application/json"), Campaign) == winter()


def test_yaml_words_stay_words() -> None:
    assert read_document(b"on: off\nat: 18:00\nday: 2026-11-22\nno: 010\nyes: ~\nn: 1.5\nb: true", "application/yaml") == {
        "on": "off",
        "at": "18:00",
        "day": "2026-11-22",
        "no": "010",
        "yes": None,
        "n": 1.5,
        "b": True,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"a: [1",
        b"a: 1\na: 2",
        b"? [a]\n: 1",
        b"a: &x [*x]",
        b"a: *x\nb: &x 1",
        b"a0: &a0 [1]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 30)),
        b"a0: &a0 [1]\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (n, n, n - 1) for n in range(1, 45)),
        b"a: &x " + b"x" * 10_000 + b"\nb: [" + b"*x, " * 30 + b"]",
        b"a: &x [" + b"x" * 10_000 + b"]\nb: &y [*x, *x, *x]\nc: {" + b", ".join(b"k%d: *y" % n for n in range(10)) + b"}",
        b"a: " + b"[" * 60_000 + b"]" * 60_000,
        b"[" * 60_000,
        b"a: !!python/object/apply:os.system [ls]",
        b"a: \xff",
        b"x" * (LARGEST + 1),
        b"a: " + b"9" * 5000,
        b"a: [" + b"1," * 100_000 + b"1]",
        b"a: " + b"[" * 45 + b"]" * 45,
    ],
)
def test_a_hostile_or_broken_body_is_refused_and_not_felt(body: bytes) -> None:
    with pytest.raises(FaultyError) as refused:
        read_document(body, "application/yaml")
    assert refused.value.faults[0].fix


def test_an_alias_stands_for_what_it_names() -> None:
    assert read_document(b"a: &x {b: [1]}\nc: [*x, *x]", "application/yaml") == {"a": {"b": [1]}, "c": [{"b": [1]}, {"b": [1]}]}


SHAPES: list[tuple[str, Any, str]] = [
    ("/goal", ..., "/goal"),
    ("/gaol", 1, "/gaol"),
    ("/purpose", "selling", "/purpose"),
    ("/waves/0/mixes/1/channels/0/channel", "emial", "/waves/0/mixes/1/channels/0/channel"),
    ("/waves/0/mixes/0/channels/1/tempalte", "x", "/waves/0/mixes/0/channels/1/tempalte"),
    ("/waves/2/enter/on/refused", {"chanel": "sms"}, "/waves/2/enter/on/refused/chanel"),
    ("/waves/2/enter/on/lost", {"channel": "sms"}, "/waves/2/enter/on"),
    ("/entry/on/entered/churn.band", "high", "/entry/on/entered/churn.band"),
    ("/holdout", "5%", "/holdout"),
]


@pytest.mark.parametrize(("at", "value", "pointer"), SHAPES)
def test_a_wrong_shape_is_refused_at_its_place(at: str, value: Any, pointer: str) -> None:
    with pytest.raises(FaultyError) as refused:
        read_as(put(written(), at, value), Campaign)
    assert refused.value.faults[0].pointer in {pointer, pointer.rpartition("/")[0]}
    assert refused.value.faults[0].fix


ENUMERATIONS: list[tuple[str, Any, str]] = [
    ("/purpose", "selling", "use one of care, marketing, recovery, service, transactional"),
    ("/waves/1/enter/unless", "bored", "use one of responded"),
    ("/waves/2/enter/on/lost", {"channel": "sms"}, "use one of failed, missed, refused"),
    ("/waves/2/enter/on/missed/channel", "pigeon", "webpush"),
    ("/waves/0/mixes/1/channels/0/channel", "emial", "email"),
]


@pytest.mark.parametrize(("at", "value", "told"), ENUMERATIONS)
def test_a_word_outside_an_enumeration_is_answered_with_the_words_inside(at: str, value: Any, told: str) -> None:
    with pytest.raises(FaultyError) as refused:
        read_as(put(written(), at, value), Campaign)
    assert told in refused.value.faults[0].fix


CONTROLS: list[tuple[str, Any, str]] = [
    ("/owner", "re\0tention", "/owner"),
    ("/owner", "re\ntention", "/owner"),
    ("/entry/key", "order\0", "/entry/key"),
    ("/waves/1/mixes/0/channels/0/script", "say\x1b", "/waves/1/mixes/0/channels/0/script"),
    ("/goal/where", {"path": ["/renew", "/\x7f"]}, "/goal/where/path/1"),
    ("/goal/where", {"pa\0th": "/renew"}, "/goal/where/pa\0th"),
    ("/goal/event", "contract\trenewed", "/goal/event"),
    ("/needs", ["\ud800"], "/needs/0"),
]


@pytest.mark.parametrize(("at", "value", "pointer"), CONTROLS)
def test_a_character_that_nobody_can_store_or_read_is_refused_at_its_place(at: str, value: Any, pointer: str) -> None:
    with pytest.raises(FaultyError) as refused:
        read_written(put(written(), at, value) if "\ud800" not in str(value) else written() | {"needs": value}, Campaign, campaign_faults)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_long_texts_have_lines_and_tabs() -> None:
    template = {"text": "Hello\r\n\tAnn", "subject": "A\nB", "html": "<p>\n</p>"}
    assert read_written(template, Template, template_faults, "t").text == template["text"]
    script = put(written(), "/waves/1/mixes/0/channels/0/script", "One\n\tTwo\U0001f44d\u200d")
    assert read_written(script, Campaign, campaign_faults)


VALUES: list[tuple[str, Any, str]] = [
    ("/key", "Winter!", "/key"),
    ("/owner", "", "/owner"),
    ("/goal/within", "a month", "/goal/within"),
    ("/goal/value", -1, "/goal/value"),
    ("/goal/value", AMOUNT_MAX + 1, "/goal/value"),
    ("/priority", 10**400, "/priority"),
    ("/priority", -PRIORITY_MAX - 1, "/priority"),
    ("/goal/currency", "euro", "/goal/currency"),
    ("/goal/event", "", "/goal/event"),
    ("/goal/where", {"path": {"op": "like"}}, "/goal/where/path"),
    ("/entry/on", {}, "/entry/on"),
    ("/entry/on/event", "order.placed", "/entry/on"),
    ("/entry/on/where", {"a": 1}, "/entry/on/where"),
    ("/entry/on/entered", {"churn.risk": ["high"]}, "/entry/on/entered/churn.risk"),
    ("/entry/on/entered", {"churn.band": []}, "/entry/on/entered/churn.band"),
    ("/entry/on/entered", {"stage": ["decline", "end"]}, "/entry/on/entered/stage/1"),
    ("/entry/key", "order_id", "/entry/key"),
    ("/entry/reentry/after", "0d", "/entry/reentry/after"),
    ("/holdout", 5, "/holdout"),
    ("/lever", 0, "/lever"),
    ("/budget/amount", -5, "/budget/amount"),
    ("/budget/amount", 2**63, "/budget/amount"),
    ("/needs", ["After Sales"], "/needs/0"),
    ("/waves", [], "/waves"),
    ("/waves/1/key", "tell", "/waves/1/key"),
    ("/waves/0/window", "2 days", "/waves/0/window"),
    ("/waves/0/response", {"field": "stage"}, "/waves/0/response"),
    ("/waves/0/response/any/1/where", {"path": {"op": "gt", "value": "x"}}, "/waves/0/response/any/1/where/path"),
    ("/waves/1/mixes/0/channels/0/attempts", 0, "/waves/1/mixes/0/channels/0/attempts"),
    ("/waves/2/enter/on/missed/spacing", "x", "/waves/2/enter/on/missed/spacing"),
    ("/waves/1/mixes/0/channels/0/list", "Re newals", "/waves/1/mixes/0/channels/0/list"),
    ("/waves/1/mixes/0/channels/0/team", "north/south", "/waves/1/mixes/0/channels/0/team"),
]


@pytest.mark.parametrize(("at", "value", "pointer"), VALUES)
def test_a_wrong_value_is_refused_at_its_place(at: str, value: Any, pointer: str) -> None:
    faults = campaign_faults(read_as(put(written(), at, value), Campaign))
    assert [f.pointer for f in faults] == [pointer]
    assert faults[0].fix


def test_a_segment_is_refused_by_the_place_in_its_rule() -> None:
    wrong = Segment(key="top", name="Top", owner="sales", rule={"all": [{"field": "value.cel", "op": "eq", "value": "IV"}]})
    assert [f.pointer for f in segment_faults(wrong)] == ["/rule/all/0/field"]


def test_the_largest_amounts_and_priorities_are_taken() -> None:
    large = put(put(put(written(), "/goal/value", AMOUNT_MAX), "/budget/amount", AMOUNT_MAX), "/priority", -PRIORITY_MAX)
    assert campaign_faults(read_as(large, Campaign)) == []
    assert policy_faults(Policy(channel_costs={"sms": AMOUNT_MAX})) == []


def test_a_segments_priority_is_bounded() -> None:
    wrong = Segment(key="top", name="Top", owner="sales", rule={"field": "stage", "op": "exists"}, priority=PRIORITY_MAX + 1)
    assert [f.pointer for f in segment_faults(wrong)] == ["/priority"]


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        (Policy(channel_costs={"sms": 10**20}), "/channel_costs/sms"),
        (Policy(channel_costs={"cal": 250}), "/channel_costs/cal"),
        (Policy(response_rates={"letters": 0.1}), "/response_rates/letters"),
        (Policy(opt_in_channels=("email", "emial")), "/opt_in_channels/1"),
        (Policy(caps=(Cap(most=1, per="24h", channel="emial"),)), "/caps/0/channel"),
        (Policy(caps=(Cap(most=1, per="24h", purpose="selling"),)), "/caps/0/purpose"),
    ],
)
def test_a_policy_names_channels_and_purposes_that_there_are_and_bounded_costs(policy: Policy, pointer: str) -> None:
    faults = policy_faults(policy)
    assert [f.pointer for f in faults] == [pointer]
    assert faults[0].fix


def test_a_cap_over_all_channels_and_purposes_has_no_fault() -> None:
    assert policy_faults(Policy(caps=(Cap(most=1, per="24h", purpose=""), Cap(most=1, per="24h", channel="call", purpose="care")))) == []


def test_the_shipped_policy_has_no_faults_and_a_wrong_one_is_told_all_of_them() -> None:
    assert policy_faults(Policy()) == []
    wrong = Policy(
        caps=(Cap(most=-1, per="x"),),
        global_holdout=2,
        after_refusal="",
        quiet_calls=(("20:00", "18:00"),),
        channel_costs={"sms": -1},
        response_rates={"sms": 2},
        currency="",
    )
    assert [f.pointer for f in policy_faults(wrong)] == [
        "/caps/0/most",
        "/caps/0/per",
        "/quiet_calls/0",
        "/channel_costs/sms",
        "/response_rates/sms",
        "/global_holdout",
        "/after_refusal",
        "/currency",
    ]


def test_a_cap_that_is_more_or_longer_than_contacts_are_remembered_is_refused() -> None:
    assert policy_faults(Policy(caps=(Cap(most=0, per="1h"), Cap(most=128, per="90d")))) == []
    wrong = Policy(caps=(Cap(most=129, per="60d"), Cap(most=1, per="91d"), Cap(most=1, per="52w")))
    assert [(fault.pointer, fault.fix.partition(";")[0]) for fault in policy_faults(wrong)] == [
        ("/caps/0/most", "give 0 to 128"),
        ("/caps/1/per", "give at most 90d"),
        ("/caps/2/per", "give at most 90d"),
    ]


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("4h", 14_400), ("5d", 432_000), ("2w", 1_209_600)])
def test_a_duration_is_read_in_its_unit(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


@settings(deadline=None)
@given(st.text(alphabet="0159smhdw -+.", max_size=6))
def test_any_other_text_is_no_duration(text: str) -> None:
    if text[:1] in "123456789" and text[:-1].isdigit() and text[-1:] in "smhdw" and text:
        return
    with pytest.raises(ValueError, match="duration"):
        duration(text)

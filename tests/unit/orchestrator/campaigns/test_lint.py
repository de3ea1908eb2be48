"""A campaign that would not work is refused before it is published, each time for one reason at one place."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_contracts.documents import read_as
from nextwave_orchestrator.campaigns.contents import content_findings
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment, Step, Template, Variant
from nextwave_orchestrator.campaigns.lifecycle import ImpossibleError, Limits, Verb, may_publish, next_state, too_large
from nextwave_orchestrator.campaigns.lint import lint
from nextwave_orchestrator.catalogue import CampaignState
from unit.orchestrator.campaigns.winter import around, put, winter, written

PLAN = put(written(), "/budget", ...)
"""The winter campaign without its budget."""

SMS = {"channel": "sms", "template": "sorry"}


def mail(text: str, **parts: Any) -> Template:
    """The template of a mail of the campaign."""
    return Template(**{"key": "renew", "subject": "About you", "text": text} | parts)


def plan() -> Campaign:
    return read_as(PLAN, Campaign)


def test_a_campaign_whose_world_is_complete_has_no_findings() -> None:
    assert lint(plan(), around()) == []


def test_a_budget_needs_no_warning_since_it_is_kept() -> None:
    assert lint(winter(), around()) == []


CASES: list[tuple[str, Any, str, str, str]] = [
    ("/waves/0/enter", {"after": "call"}, "error", "unreachable", "/waves/0/enter"),
    ("/waves/1/enter", ..., "error", "unreachable", "/waves/1"),
    ("/waves/1/enter/after", "nothing", "error", "unreachable", "/waves/1/enter/after"),
    ("/waves/1/enter/after", "missed", "error", "unreachable", "/waves/1/enter/after"),
    ("/waves/0/response", {}, "error", "unreachable", "/waves/1/enter/unless"),
    ("/waves/2/enter/on", {}, "error", "no_contact", "/waves/2"),
    ("/waves/0/mixes/1/channels/0/template", "renw", "error", "missing_template", "/waves/0/mixes/1/channels/0/template"),
    ("/waves/2/enter/on/missed/template", "gone", "error", "missing_template", "/waves/2/enter/on/missed/template"),
    ("/waves/0/mixes/1/channels/0/template", ..., "error", "no_template", "/waves/0/mixes/1/channels/0"),
    ("/waves/1/mixes/0/channels/0/list", ..., "error", "no_list", "/waves/1/mixes/0/channels/0"),
    ("/waves/0/mixes/0/segment", "top-valeu", "error", "unknown_segment", "/waves/0/mixes/0/segment"),
    ("/waves/0/mixes/0/segment", "*", "error", "mix_twice", "/waves/0/mixes/1"),
    ("/waves/0/mixes/1/segment", "contract-holders", "warning", "no_rest", "/waves/0/mixes"),
    ("/waves/0/mixes/0/channels", [], "warning", "no_channels", "/waves/0/mixes/0/channels"),
    ("/entry/audience/segment", "nobody", "error", "unknown_segment", "/entry/audience/segment"),
    ("/entry/on", {"entered": {"segment": ["nowhere"]}}, "error", "unknown_segment", "/entry/on"),
    ("/entry/on", {"event": "order.place"}, "warning", "unknown_event", "/entry/on/event"),
    ("/waves/0/mixes/0/channels/0/channel", "visit", "error", "no_team", "/waves/0/mixes/0/channels/0"),
    ("/waves/1/mixes/0/channels/0", SMS, "warning", "never_reported", "/waves/1/response"),
    ("/waves/1/window", "8h", "error", "window_too_short", "/waves/1/mixes/0/channels/0"),
    ("/goal/currency", "USD", "error", "currency", "/goal/currency"),
    ("/goal/value", 0, "warning", "no_value", "/goal/value"),
    ("/needs", ["payment"], "warning", "not_declared", "/needs/0"),
    ("/budget", {"amount": 249}, "warning", "budget_too_small", "/budget/amount"),
    ("/holdout", 1, "warning", "nobody_contacted", "/holdout"),
    ("/waves/0/response", {"event": "page.view"}, "warning", "unknown_event", "/waves/0/response/event"),
    ("/waves/0/response/any/1/event", "pages.viewed", "warning", "unknown_event", "/waves/0/response/any/1/event"),
]


@pytest.mark.parametrize(("at", "value", "level", "code", "pointer"), CASES)
def test_a_campaign_that_would_not_work_is_found_out(at: str, value: Any, level: str, code: str, pointer: str) -> None:
    findings = lint(read_as(put(PLAN, at, value), Campaign), around())
    assert [(f.level, f.code, f.pointer) for f in findings] == [(level, code, pointer)]
    assert findings[0].fix


CARD: dict[str, Any] = {"field": "value.cell", "op": "in", "value": ["III", "IV"]}
SEGMENTS = around().segments


@pytest.mark.parametrize(
    ("key", "segment", "code", "level", "pointer"),
    [
        ("contract-holders", {"rule": {"all": [CARD, {"not": CARD}]}}, "dead_segment", "error", "/entry/audience/segment"),
        ("top-value", {"rule": {"all": [CARD, {"not": CARD}]}}, "dead_segment", "warning", "/waves/0/mixes/0"),
        ("everyone-valuable", {"rule": CARD, "priority": 1}, "hidden_mix", "warning", "/waves/0/mixes/0"),
    ],
)
def test_a_segment_that_nobody_can_be_in_or_get_to_is_found(key: str, segment: dict[str, Any], code: str, level: str, pointer: str) -> None:
    segments = {**SEGMENTS, key: read_as({"key": key, "name": key, "owner": "x", **segment}, Segment)}
    mixes = [*PLAN["waves"][0]["mixes"], {"segment": key, "channels": [{"channel": "email", "template": "renew"}]}]
    campaign = read_as(put(PLAN, "/waves/0/mixes", mixes) if code == "hidden_mix" else PLAN, Campaign)
    found = lint(campaign, around(segments=segments))
    assert [(f.code, f.level, f.pointer) for f in found] == [(code, level, pointer)]


@pytest.mark.parametrize(
    ("first", "second", "is_hidden"),
    [
        ({"after": "tell"}, {"after": "tell", "unless": "responded"}, True),
        ({"after": "tell", "unless": "responded"}, {"after": "tell"}, False),
        ({"after": "tell", "unless": "responded"}, {"after": "tell", "on": {"missed": SMS}}, True),
        ({"after": "tell", "unless": "responded"}, {"after": "tell", "on": {"refused": SMS}}, False),
        ({"after": "tell", "on": {"missed": SMS}}, {"after": "tell", "on": {"missed": SMS}}, True),
        ({"after": "tell", "on": {"missed": SMS}}, {"after": "tell", "unless": "responded"}, False),
    ],
)
def test_a_wave_of_which_earlier_ones_leave_nobody_is_unreachable(first: Any, second: Any, is_hidden: bool) -> None:
    def wave(key: str, enter: Any) -> dict[str, Any]:
        mixes = [] if "on" in enter else [{"segment": "*", "channels": [SMS]}]
        return {"key": key, "window": "48h", "enter": enter, "mixes": mixes}

    waves = [PLAN["waves"][0], wave("second", first), wave("third", second)]
    findings = lint(read_as(put(PLAN, "/waves", waves), Campaign), around())
    assert [(f.code, f.pointer) for f in findings] == ([("unreachable", "/waves/2/enter")] if is_hidden else [])


def test_a_trait_shown_without_a_default_is_refused() -> None:
    templates = {**around().templates, "renew": mail("Dear {{ traits.name }}, {{ traits.city | default: 'x' }}")}
    findings = lint(plan(), around(templates=templates))
    assert [(f.level, f.code) for f in findings] == [("error", "may_be_missing")]
    assert "traits.name" in findings[0].detail


@pytest.mark.parametrize(
    ("text", "level", "reason"),
    [
        ("{% assign a = 5 %}{{ a | divided_by: 0 }}", "error", "can't divide by 0"),
        ("{{ churn.band | truncate: 'abc' }}", "error", "truncate expected an integer"),
        ("{% for i in (1..1000000000) %}x{% endfor %}", "error", "loop iteration limit"),
        ("{{ 100 | divided_by: orders.count }}", "warning", "can't divide by 0"),
        ("{{ 100 | divided_by: traits.a.b | plus: traits.a.c }}", "warning", "can't divide by 0"),
    ],
)
def test_a_template_that_fails_is_found_before_it_meets_a_customer(text: str, level: str, reason: str) -> None:
    (finding,) = lint(plan(), around(templates={**around().templates, "renew": mail(text)}))
    assert (finding.level, finding.code, finding.pointer) == (level, "template_fails", "/waves/0/mixes/1/channels/0/template")
    assert finding.detail.startswith("template renew: ")
    assert reason in finding.detail


def found_of(channel: str, template: Template, policy: Policy | None = None) -> list[tuple[str, str]]:
    """What lint says of this template on this channel."""
    step = read_as({"channel": channel, "template": template.key}, Step)
    return [(f.level, f.code) for f in content_findings(step, "", {template.key: template}, policy or Policy())]


@pytest.mark.parametrize(
    ("channel", "template", "found"),
    [
        ("email", mail("Hello", subject=""), [("error", "no_subject")]),
        ("email", mail("Hello", subject="{{ traits.a | default: '' }}"), [("warning", "no_subject")]),
        ("email", mail("Hello", subject="{% if traits.a %}Dear {{ traits.a }}{% endif %}"), [("warning", "no_subject")]),
        ("email", mail("Hello", subject="x" * 255), []),
        ("email", mail("Hello", subject="x" * 256), [("error", "too_long")]),
        ("email", mail("Hello", subject="{{ traits.a | default: '" + "x" * 256 + "' }}"), [("warning", "too_long")]),
        ("email", mail("Hello", html="<p>Hello</p>"), []),
        ("email", mail("Hello", languages={"de": Variant(text="Hallo")}), [("error", "no_subject")]),
        ("email", mail("Hello", languages={"de": Variant(subject="x", text="{{ traits.a }}")}), [("error", "may_be_missing")]),
        ("sms", mail("x" * 459, subject=""), []),
        ("sms", mail("x" * 460, subject=""), [("error", "too_long")]),
        ("sms", mail("\u0142" * 202), [("error", "too_long")]),
        ("sms", mail("x" * 459 + "{{ stage }}"), [("warning", "too_long")]),
        ("sms", mail("Hello", html="<p>Hello</p>"), [("warning", "html_not_shown")]),
        ("webpush", mail("x" * 2000, subject="y" * 1000), []),
        ("webpush", mail("x" * 2100, subject="y" * 1000), [("error", "too_long")]),
    ],
)
def test_what_a_channel_cannot_carry_of_a_template_is_found(channel: str, template: Template, found: list[tuple[str, str]]) -> None:
    assert found_of(channel, template) == found


def test_the_house_says_how_many_segments_a_text_may_take_and_the_character_to_blame_is_named() -> None:
    assert found_of("sms", mail("x" * 160), Policy(sms_segments=1)) == []
    assert found_of("sms", mail("x" * 161), Policy(sms_segments=1)) == [("error", "too_long")]
    templates = {**around().templates, "renew-top": mail("x" * 159 + "\u2019", key="renew-top")}
    (finding,) = lint(plan(), around(templates=templates, policy=Policy(sms_segments=2)))
    assert "takes 3 SMS segments, of at most 2, as '\u2019' is none of the 7-bit alphabet's characters" in finding.detail


def test_a_finding_names_the_language() -> None:
    templates = {**around().templates, "renew": mail("Hello", languages={"de": Variant(subject="x", text="{{ traits.a }}")})}
    (finding,) = lint(plan(), around(templates=templates))
    assert finding.detail.startswith("template renew (de): it shows traits.a")


def test_two_campaigns_on_one_trigger_and_audience_are_warned_of() -> None:
    other = read_as(put(PLAN, "/key", "other"), Campaign)
    elsewhere = read_as(put(PLAN, "/entry/audience/segment", "top-value"), Campaign)
    (finding,) = lint(plan(), around(others=(other,)))
    assert finding.code == "overlap"
    assert "priority, then key, decides who gets a cap" in finding.fix
    assert lint(plan(), around(others=(elsewhere,))) == []


@pytest.mark.parametrize(
    ("on", "meets"),
    [
        ({"entered": {"churn.band": ["high", "lost"]}}, True),
        ({"entered": {"churn.band": ["lost"]}}, False),
        ({"entered": {"stage": ["decline"], "churn.band": ["elevated"]}}, True),
        ({"left": {"churn.band": ["high"]}}, False),
        ({"event": "order.placed"}, False),
    ],
)
def test_campaigns_that_one_crossing_can_let_somebody_into_are_warned_of(on: dict[str, Any], meets: bool) -> None:
    other = read_as(put(put(PLAN, "/key", "other"), "/entry/on", on), Campaign)
    assert [finding.code for finding in lint(plan(), around(others=(other,)))] == ["overlap"] * meets


STATES: list[tuple[Verb, CampaignState, CampaignState | None]] = [
    ("publish", "draft", "published"),
    ("publish", "paused", "published"),
    ("publish", "ended", None),
    ("pause", "published", "paused"),
    ("pause", "paused", "paused"),
    ("pause", "draft", None),
    ("pause", "ended", None),
    ("resume", "paused", "published"),
    ("resume", "ended", None),
    ("resume", "draft", None),
    ("end", "paused", "ended"),
    ("end", "ended", "ended"),
    ("end", "draft", None),
]


@pytest.mark.parametrize(("verb", "state", "expected"), STATES)
def test_a_campaign_moves_only_along_its_life(verb: Verb, state: CampaignState, expected: CampaignState | None) -> None:
    if expected is not None:
        assert next_state(verb, state) == expected
        return
    with pytest.raises(ImpossibleError, match=state):
        next_state(verb, state)


FREE = Policy(channel_costs={})


@pytest.mark.parametrize(
    ("campaign", "policy", "budget_max", "audience", "why"),
    [
        (winter(), Policy(), 499_999, 0, "a budget of 500000"),
        (winter(), Policy(), 500_000, 0, ""),
        (winter(), FREE, 0, 0, ""),
        (winter(), FREE, 0, None, "an audience that was changed"),
        (plan(), Policy(), 500_000, 0, "paid contacts without a budget"),
        (winter(), FREE, 0, 100, ""),
        (winter(), FREE, 0, 101, "an audience of about 101 customers"),
    ],
)
def test_a_large_budget_or_audience_needs_an_approver(
    campaign: Campaign, policy: Policy, budget_max: int, audience: int | None, why: str
) -> None:
    told = too_large(campaign, policy, Limits(budget_max=budget_max, audience_max=100), audience)
    assert told.startswith(why)
    assert bool(told) == bool(why)


def test_an_approver_publishes_anything_and_a_viewer_nothing() -> None:
    assert may_publish(["approver"], "large")
    assert may_publish(["editor"], "")
    assert not may_publish(["editor"], "large")
    assert not may_publish(["viewer"], "")

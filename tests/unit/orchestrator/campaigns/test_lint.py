"""A campaign that would not work is refused before it is published, each time for one reason at one place."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Template
from nextwave_orchestrator.campaigns.documents import read_as
from nextwave_orchestrator.campaigns.lifecycle import ImpossibleError, Verb, may_publish, next_state
from nextwave_orchestrator.campaigns.lint import lint
from nextwave_orchestrator.catalogue import CampaignState
from unit.orchestrator.campaigns.winter import around, put, winter, written

PLAN = put(written(), "/budget", ...)
"""The winter campaign without its budget."""


def plan() -> Campaign:
    return read_as(PLAN, Campaign)


def test_a_campaign_whose_world_is_complete_has_no_findings() -> None:
    assert lint(plan(), around()) == []


def test_a_budget_is_said_to_be_stored_and_not_enforced() -> None:
    (finding,) = lint(winter(), around())
    assert (finding.level, finding.code, finding.pointer) == ("warning", "budget_not_enforced", "/budget")
    assert "is stored, and not enforced yet" in finding.detail


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
    ("/entry/audience/segment", "nobody", "error", "unknown_segment", "/entry/audience/segment"),
    ("/entry/on", {"entered": {"segment": ["nowhere"]}}, "error", "unknown_segment", "/entry/on"),
    ("/entry/on", {"event": "order.place"}, "warning", "unknown_event", "/entry/on/event"),
    ("/waves/0/mixes/0/channels/0/channel", "visit", "error", "no_adapter", "/waves/0/mixes/0/channels/0/channel"),
    ("/waves/1/window", "8h", "error", "window_too_short", "/waves/1/mixes/0/channels/0"),
    ("/goal/currency", "USD", "error", "currency", "/goal/currency"),
    ("/goal/value", 0, "warning", "no_value", "/goal/value"),
    ("/needs", ["payment"], "warning", "not_declared", "/needs/0"),
]


@pytest.mark.parametrize(("at", "value", "level", "code", "pointer"), CASES)
def test_a_campaign_that_would_not_work_is_found_out(at: str, value: Any, level: str, code: str, pointer: str) -> None:
    findings = lint(read_as(put(PLAN, at, value), Campaign), around())
    assert [(f.level, f.code, f.pointer) for f in findings] == [(level, code, pointer)]
    assert findings[0].fix


def test_a_trait_shown_without_a_default_is_warned_of() -> None:
    templates = {**around().templates, "renew": Template(key="renew", text="Dear {{ traits.name }}, {{ traits.city | default: 'x' }}")}
    findings = lint(plan(), around(templates=templates))
    assert [(f.level, f.code) for f in findings] == [("warning", "may_be_missing")]
    assert "traits.name" in findings[0].detail


def test_two_campaigns_on_one_trigger_and_audience_are_warned_of() -> None:
    other = read_as(put(PLAN, "/key", "other"), Campaign)
    elsewhere = read_as(put(PLAN, "/entry/audience/segment", "top-value"), Campaign)
    (finding,) = lint(plan(), around(others=(other,)))
    assert finding.code == "overlap"
    assert "priority, then key, decides who gets a cap" in finding.fix
    assert lint(plan(), around(others=(elsewhere,))) == []


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


def test_an_editor_publishes_small_budgets_and_an_approver_any() -> None:
    campaign, policy = winter(), Policy()
    free = Policy(channel_costs={})
    no_limit = plan()
    assert not may_publish(campaign, policy, ["editor"], 499_999)
    assert may_publish(campaign, policy, ["editor"], 500_000)
    assert may_publish(campaign, policy, ["approver"], 0)
    assert may_publish(campaign, free, ["editor"], 0)
    assert not may_publish(no_limit, policy, ["editor"], 500_000)
    assert not may_publish(campaign, policy, ["viewer"], 500_000)

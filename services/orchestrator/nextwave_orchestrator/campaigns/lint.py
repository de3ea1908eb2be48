"""Finds what would go wrong with a campaign among everything else that exists; errors refuse its publication, warnings do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

from nextwave_contracts.channels import CHANNELS
from nextwave_contracts.touchpoints import TOUCHPOINT_TYPES

from nextwave_orchestrator.campaigns.checks import steps_of
from nextwave_orchestrator.campaigns.contents import content_findings, near
from nextwave_orchestrator.campaigns.dead_ends import dead_segments, hidden_waves
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment, Step, Template, Trigger, Wave
from nextwave_orchestrator.campaigns.findings import Finding, error, warning
from nextwave_orchestrator.campaigns.timing import remarks
from nextwave_orchestrator.campaigns.unheard import unheard
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.rules.responses import read_response


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What exists beside the campaign. `others` are the live campaigns; one of the same key is what it replaces."""

    segments: Mapping[str, Segment]
    templates: Mapping[str, Template]
    systems: frozenset[str]
    policy: Policy
    others: tuple[Campaign, ...] = ()
    now: datetime | None = None
    """None: whether something is past is not asked."""


def lint(campaign: Campaign, around: Surroundings) -> list[Finding]:
    """All findings of a campaign that has no faults of its own, errors first."""
    found = [*_ways(campaign.waves), *_names(campaign, around), *_steps(campaign, around), *_money(campaign, around.policy)]
    found += [*_events(campaign), *_overlaps(campaign, around.others)]
    found += [*unheard(campaign), *hidden_waves(campaign.waves), *dead_segments(campaign, around.segments)]
    found += [Finding(**remark._asdict()) for remark in remarks(campaign, around.now)]
    return sorted(found, key=lambda f: f.level)


def cost_max(campaign: Campaign, policy: Policy) -> int:
    """The dearest contact that the campaign can make, minor units; 0 when all its channels are free."""
    steps = (one for n, wave in enumerate(campaign.waves) for _, one in steps_of(wave, f"/waves/{n}"))
    return max((policy.channel_costs.get(one.channel, 0) for one in steps), default=0)


def _ways(waves: tuple[Wave, ...]) -> Iterator[Finding]:
    earlier: dict[str, Wave] = {}
    for n, wave in enumerate(waves):
        at = f"/waves/{n}"
        if n == 0 and wave.enter is not None:
            yield error("unreachable", at + "/enter", "the first wave waits for another", "leave enter out: customers begin here")
        elif n > 0 and wave.enter is None:
            yield error("unreachable", at, f"nobody ever enters wave {wave.key!r}", "add enter: {after: <an earlier wave>}")
        elif wave.enter is not None and wave.enter.after not in earlier:
            fix = f"name one of {', '.join(earlier)}"
            yield error("unreachable", at + "/enter/after", f"{wave.enter.after!r} is no earlier wave", fix)
        if not any(True for _ in steps_of(wave, at)):
            yield error("no_contact", at, f"wave {wave.key!r} contacts nobody", "add mixes, or enter.on with steps")
        yield from _answered(wave, earlier, at)
        earlier[wave.key] = wave


def _answered(wave: Wave, earlier: Mapping[str, Wave], at: str) -> Iterator[Finding]:
    before = earlier.get(wave.enter.after) if wave.enter else None
    if wave.enter and wave.enter.unless and before and not before.response:
        yield error("unreachable", at + "/enter/unless", f"wave {before.key!r} knows no response", "give that wave a response")


def _names(campaign: Campaign, around: Surroundings) -> Iterator[Finding]:
    named = [("/entry/audience/segment", campaign.entry.audience.segment)]
    named += [(f"/waves/{n}/mixes/{m}/segment", mix.segment) for n, w in enumerate(campaign.waves) for m, mix in enumerate(w.mixes)]
    for side in (campaign.entry.on.entered, campaign.entry.on.left):
        named += [("/entry/on", key) for key in side.get("segment", [])]
    for at, key in named:
        if key != "*" and key not in around.segments:
            yield error(
                "unknown_segment", at, f"there is no segment {key!r}", near(key, around.segments, "PUT /v1/segments/{key} makes one")
            )
    for n, system in enumerate(campaign.needs):
        if system not in around.systems:
            fix = f"PUT /v1/readiness/{system} when it is ready"
            yield warning("not_declared", f"/needs/{n}", f"nobody has declared {system!r} ready, so every contact waits", fix)


def _steps(campaign: Campaign, around: Surroundings) -> Iterator[Finding]:
    for n, wave in enumerate(campaign.waves):
        segments: set[str] = set()
        for m, mix in enumerate(wave.mixes):
            at = f"/waves/{n}/mixes/{m}"
            if mix.segment in segments:
                yield error("mix_twice", at, f"a second mix for {mix.segment!r} is never used", "join the two mixes")
            if not mix.channels:
                nothing = f"customers in segment {mix.segment!r} get nothing from this wave"
                yield warning("no_channels", at + "/channels", nothing, "name channels, unless that is what you want")
            segments.add(mix.segment)
        if segments and "*" not in segments:
            yield warning(
                "no_rest", f"/waves/{n}/mixes", "customers in none of these segments get nothing", 'add a mix for "*" if they should'
            )
        for at, one in steps_of(wave, f"/waves/{n}"):
            yield from _step(one, at, duration(wave.window), around)


def _step(one: Step, at: str, window: timedelta, around: Surroundings) -> Iterator[Finding]:
    terms = CHANNELS[one.channel]
    needed = terms.arrives_within + (one.attempts - 1) * duration(one.spacing)
    if window < needed:
        fix = "widen the window" + (" or lower attempts or spacing" if one.attempts > 1 else "")
        yield error("window_too_short", at, f"{one.channel} may take {needed}, longer than the window", fix)
    if terms.place and not getattr(one, terms.place):
        yield error(f"no_{terms.place}", at, f"a {one.channel} without a {terms.place}", f"name who carries it out: {terms.place}: <name>")
    if not one.template and not terms.place:
        yield error("no_template", at, f"{one.channel} without content", "name a template: template: <key>")
    if one.template:
        yield from content_findings(one, at, around.templates, around.policy)


def _money(campaign: Campaign, policy: Policy) -> Iterator[Finding]:
    pairs = [("/goal/currency", campaign.goal.currency)]
    pairs += [("/budget/currency", campaign.budget.currency)] if campaign.budget else []
    for at, currency in pairs:
        if currency != policy.currency:
            yield error("currency", at, f"{currency} is not the house's currency", f"use {policy.currency}")
    if campaign.goal.value == 0 and cost_max(campaign, policy) > 0:
        yield warning(
            "no_value", "/goal/value", "a goal worth nothing covers no cost: paid channels are never used", "give the goal a value"
        )
    yield from _spent(campaign, policy)


def _spent(campaign: Campaign, policy: Policy) -> Iterator[Finding]:
    """What leaves nothing to spend, or nobody to spend it on."""
    costs = {one.channel: policy.channel_costs.get(one.channel, 0) for wave in campaign.waves for _, one in steps_of(wave, "")}
    for channel, cost in sorted(costs.items()):
        if campaign.budget is not None and cost > campaign.budget.amount:
            detail = f"one contact by {channel} costs {cost}, more than the whole budget: it is never used"
            yield warning("budget_too_small", "/budget/amount", detail, f"give at least {cost}, or leave {channel} out")
    if campaign.holdout == 1:
        yield warning("nobody_contacted", "/holdout", "everybody is held out, so that nobody is contacted", "give a share below 1")


def _events(campaign: Campaign) -> Iterator[Finding]:
    asked = (test for n, wave in enumerate(campaign.waves) for test in read_response(wave.response, f"/waves/{n}/response"))
    answers = [(test.pointer + "/event", test.type) for test in asked if not test.type.startswith("outcome.")]
    for at, type_ in (("/goal/event", campaign.goal.event), ("/entry/on/event", campaign.entry.on.event), *answers):
        near = get_close_matches(type_, TOUCHPOINT_TYPES, n=1, cutoff=0.8)
        if type_ and type_ not in TOUCHPOINT_TYPES and near:
            yield warning("unknown_event", at, f"{type_!r} has no built-in meaning", f"did you mean {near[0]}?")


def _meet(one: Trigger, other: Trigger) -> bool:
    """Whether one moment can let somebody in by both."""
    sides = ((one.entered, other.entered), (one.left, other.left))
    return one == other or any(set(values) & set(theirs.get(name, ())) for mine, theirs in sides for name, values in mine.items())


def _overlaps(campaign: Campaign, others: tuple[Campaign, ...]) -> Iterator[Finding]:
    for other in others:
        same = other.key != campaign.key and _meet(other.entry.on, campaign.entry.on) and other.purpose == campaign.purpose
        audiences = {other.entry.audience.segment, campaign.entry.audience.segment}
        if same and (len(audiences) == 1 or "*" in audiences):
            detail = f"campaign {other.key!r} lets the same customers in at the same moment"
            yield warning(
                "overlap", "/entry", detail, "score, then priority, then key, decides who gets a cap; split the audiences if you want both"
            )

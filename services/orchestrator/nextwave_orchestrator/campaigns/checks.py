"""What a written thing must fulfil by itself, whatever else exists: names, numbers, durations, rules. Checked whenever it is saved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from nextwave_contracts.actions import Channel, Purpose
from nextwave_contracts.faults import Fault, FaultyError, step

from nextwave_orchestrator.campaigns.definition import Campaign, Cap, Goal, Policy, Segment, ServiceLevel, Step, Trigger, Wave
from nextwave_orchestrator.campaigns.timing import entry_faults
from nextwave_orchestrator.campaigns.weighing import score_faults
from nextwave_orchestrator.durations import FIX as DURATION_FIX
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.hours.rules import clock
from nextwave_orchestrator.rules.events import read_where
from nextwave_orchestrator.rules.parse import read_rule
from nextwave_orchestrator.rules.responses import read_response
from nextwave_orchestrator.state import RESERVATIONS_MAX, RESERVED_FOR

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
KEY_FIX = "use 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit"
CURRENCY = re.compile(r"[A-Z]{3}")
MOST_WAVES = 20
MOST_ATTEMPTS = 20
AMOUNT_MAX = 10**12
"""Minor units of a goal, a budget or a contact: sums of many stay within the 64 bits of messages and tables."""
PRIORITY_MAX = 10**6
SEGMENTS_MAX = 10
"""SMS segments that providers take of one text."""


def campaign_faults(campaign: Campaign) -> list[Fault]:
    """Every fault of a campaign that can be seen without knowing anything else."""
    return [
        *_key(campaign.key, "/key"),
        *_require(bool(campaign.owner), "/owner", "no owner", "name the department that books cost and benefit"),
        *_goal(campaign.goal),
        *_entry(campaign),
        *_waves(campaign.waves),
        *_require(0 <= campaign.holdout <= 1, "/holdout", f"{campaign.holdout} is no share", "give a number from 0 to 1"),
        *_require(0 < campaign.lever <= 1000, "/lever", f"{campaign.lever} weighs wrongly", "give a number above 0, at most 1000"),
        *_budget(campaign),
        *_priority(campaign.priority),
        *(fault for n, system in enumerate(campaign.needs) for fault in _key(system, f"/needs/{n}")),
    ]


def segment_faults(segment: Segment) -> list[Fault]:
    """Every fault of a segment."""
    named = _require(bool(segment.name and segment.owner), "/name", "no name or owner", "give both a name and an owner")
    return [*_key(segment.key, "/key"), *named, *_priority(segment.priority), *_rule_faults(segment.rule, "/rule")]


def policy_faults(policy: Policy) -> list[Fault]:
    """Every fault of a policy."""
    faults = [*_named(policy)]
    for n, cap in enumerate(policy.caps):
        faults += _cap(cap, f"/caps/{n}")
    for n, (start, end) in enumerate(policy.quiet_calls):
        is_span = _is_time(start) and _is_time(end) and start < end
        faults += _require(is_span, f"/quiet_calls/{n}", f"{start}-{end} is no span of a day", 'write for example ["18:00", "20:00"]')
    for name, cost in policy.channel_costs.items():
        faults += _amount(cost, "/channel_costs" + step(name))
    for name, rate in policy.response_rates.items():
        faults += _require(0 <= rate <= 1, "/response_rates" + step(name), f"{rate} is no share", "give a number from 0 to 1")
    share = f"{policy.global_holdout} is no share"
    faults += _require(0 <= policy.global_holdout <= 1, "/global_holdout", share, "give a number from 0 to 1")
    faults += [*_duration(policy.after_refusal, "/after_refusal"), *_duration(policy.after_complaint, "/after_complaint")]
    faults += [*_duration(policy.after_decline, "/after_decline"), *_duration(policy.after_contact, "/after_contact")]
    faults += [*_service_levels(policy.service_levels)]
    faults += [*score_faults(policy)]
    faults += _learning(policy)
    many = f"{policy.sms_segments} segments"
    faults += _require(1 <= policy.sms_segments <= SEGMENTS_MAX, "/sms_segments", many, f"give 1 to {SEGMENTS_MAX}")
    return [*faults, *_currency(policy.currency, "/currency")]


def _cap(cap: Cap, at: str) -> list[Fault]:
    """More contacts, and older ones, than are remembered of a customer could not be counted."""
    many, fix = 0 <= cap.most <= RESERVATIONS_MAX, f"give 0 to {RESERVATIONS_MAX}; the contacts remembered of a customer are no more"
    faults = [*_require(many, at + "/most", f"{cap.most} contacts", fix), *_duration(cap.per, at + "/per")]
    if not faults and duration(cap.per) > RESERVED_FOR:
        faults += [Fault(at + "/per", f"{cap.per} is too long", f"give at most {RESERVED_FOR.days}d; contacts are not remembered longer")]
    return faults


def _named(policy: Policy) -> Iterator[Fault]:
    """What says something of a channel or purpose that there is not would never apply."""
    channels = [(f"/caps/{n}/channel", cap.channel) for n, cap in enumerate(policy.caps) if cap.channel]
    channels += [(f"/opt_in_channels/{n}", name) for n, name in enumerate(policy.opt_in_channels)]
    channels += [(f"/{table}{step(name)}", name) for table in ("channel_costs", "response_rates") for name in getattr(policy, table)]
    purposes = [(f"/caps/{n}/purpose", cap.purpose) for n, cap in enumerate(policy.caps) if cap.purpose]
    for what, named, known in (("channel", channels, get_args(Channel)), ("purpose", purposes, get_args(Purpose))):
        yield from (
            Fault(at, f"there is no {what} {name!r:.40}", f"use one of {', '.join(known)}") for at, name in named if name not in known
        )


def _learning(policy: Policy) -> list[Fault]:
    strength, loading = policy.response_strength, policy.loading_share
    return [
        *_require(1 <= strength <= 1_000_000, "/response_strength", f"{strength} contacts", "give 1 to 1000000"),
        *_require(0 <= loading <= 100, "/loading_share", f"{loading} is no loading", "give a number from 0 to 100, 0.25 for a quarter"),
        *_duration(policy.response_half_life, "/response_half_life"),
        *_duration(policy.credit_within, "/credit_within"),
    ]


def _service_levels(levels: dict[str, ServiceLevel]) -> list[Fault]:
    faults: list[Fault] = []
    for cell, level in levels.items():
        at = "/service_levels" + step(cell)
        faults += _require(cell in CROSSED["value.cell"], at, f"there is no cell {cell!r:.20}", "use I, II, III and IV")
        faults += _duration(level.answer_within, at + "/answer_within")
    return faults


def _goal(goal: Goal) -> list[Fault]:
    faults = [*_duration(goal.within, "/goal/within"), *_currency(goal.currency, "/goal/currency")]
    faults += _require(bool(goal.event), "/goal/event", "no event", "name a touchpoint type, for example order.placed")
    faults += _amount(goal.value, "/goal/value")
    read_where(goal.where, "/goal/where", faults)
    return faults


def _entry(campaign: Campaign) -> list[Fault]:
    entry = campaign.entry
    faults: list[Fault] = []
    faults += entry_faults(entry)
    faults += _require(not entry.on.where or bool(entry.on.event), "/entry/on/where", "where without event", "give it with an event")
    read_where(entry.on.where, "/entry/on/where", faults)
    faults += [f for side in ("entered", "left") for f in _crossings(entry.on, side)]
    if entry.reentry is not None:
        faults += _duration(entry.reentry.after, "/entry/reentry/after")
    return faults


CROSSED = {
    "churn.band": ("low", "elevated", "high", "lost"),
    "stage": ("exploration", "formation", "stability", "decline"),
    "value.cell": ("I", "II", "III", "IV"),
    "segment": (),
}
"""What can be entered and left, and its values (none: any)."""


def _crossings(on: Trigger, side: str) -> Iterator[Fault]:
    for name, values in getattr(on, side).items():
        at = f"/entry/on/{side}{step(name)}"
        if name not in CROSSED:
            yield Fault(at, f"{name!r} cannot be {side}", f"use one of {', '.join(CROSSED)}")
            continue
        if not values:
            yield Fault(at, "no values", "list the values that count")
        known = CROSSED[name]
        yield from (
            Fault(at + step(n), f"{name} is never {v!r}", f"use {', '.join(known)}")
            for n, v in enumerate(values)
            if known and v not in known
        )


def _waves(waves: tuple[Wave, ...]) -> list[Fault]:
    faults = _require(1 <= len(waves) <= MOST_WAVES, "/waves", f"{len(waves)} waves", f"write 1 to {MOST_WAVES} waves")
    seen: set[str] = set()
    for n, wave in enumerate(waves):
        at = f"/waves/{n}"
        faults += [
            *_key(wave.key, at + "/key"),
            *_duration(wave.window, at + "/window"),
            *_response_faults(wave.response, at + "/response"),
        ]
        faults += _require(wave.key not in seen, at + "/key", f"wave {wave.key!r} stands twice", "give each wave a key of its own")
        seen.add(wave.key)
        for pointer, one in steps_of(wave, at):
            faults += _step(one, pointer)
    return faults


def steps_of(wave: Wave, at: str) -> Iterator[tuple[str, Step]]:
    """Every step of a wave with its pointer."""
    for m, mix in enumerate(wave.mixes):
        yield from ((f"{at}/mixes/{m}/channels/{c}", one) for c, one in enumerate(mix.channels))
    if wave.enter is not None:
        yield from ((f"{at}/enter/on/{reach}", one) for reach, one in wave.enter.on.items())


def _step(one: Step, at: str) -> list[Fault]:
    many = f"{one.attempts} attempts"
    return [
        *_require(1 <= one.attempts <= MOST_ATTEMPTS, at + "/attempts", many, f"give 1 to {MOST_ATTEMPTS}"),
        *_require(one.attempts == 1 or one.channel == "call", at + "/attempts", f"{many} by {one.channel}", "only calls are tried again"),
        *_duration(one.spacing, at + "/spacing"),
        *(fault for place in ("list", "team") if getattr(one, place) for fault in _key(getattr(one, place), f"{at}/{place}")),
    ]


def _budget(campaign: Campaign) -> list[Fault]:
    if campaign.budget is None:
        return []
    return [*_amount(campaign.budget.amount, "/budget/amount"), *_currency(campaign.budget.currency, "/budget/currency")]


def _amount(amount: int, at: str) -> list[Fault]:
    return _require(0 <= amount <= AMOUNT_MAX, at, f"{amount!r:.40} is no amount", f"give minor units, 0 to {AMOUNT_MAX}")


def _priority(priority: int) -> list[Fault]:
    fix = f"give {-PRIORITY_MAX} to {PRIORITY_MAX}"
    return _require(abs(priority) <= PRIORITY_MAX, "/priority", f"{priority!r:.40} is no priority", fix)


def _key(key: str, at: str) -> list[Fault]:
    return _require(KEY.fullmatch(key) is not None, at, f"{key!r:.80} is no key", KEY_FIX)


def _currency(code: str, at: str) -> list[Fault]:
    return _require(CURRENCY.fullmatch(code) is not None, at, f"{code!r:.20} is no currency", "use an ISO 4217 code, for example EUR")


def _duration(text: str, at: str) -> list[Fault]:
    try:
        duration(text)
    except ValueError:
        return [Fault(at, f"{text!r:.40} is no duration", DURATION_FIX)]
    return []


def _is_time(text: str) -> bool:
    """As the gate reads it, and with both digits of the hour, so that texts are in order of their times."""
    try:
        clock(text)
    except ValueError:
        return False
    return len(text) == len("HH:MM")


def _rule_faults(raw: Any, at: str) -> list[Fault]:
    try:
        read_rule(raw, at)
    except FaultyError as wrong:
        return list(wrong.faults)
    return []


def _response_faults(raw: Any, at: str) -> list[Fault]:
    try:
        read_response(raw, at)
    except FaultyError as wrong:
        return list(wrong.faults)
    return []


def _require(fulfilled: bool, at: str, detail: str, fix: str) -> list[Fault]:
    return [] if fulfilled else [Fault(at, detail, fix)]

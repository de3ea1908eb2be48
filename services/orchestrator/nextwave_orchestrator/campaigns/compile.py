"""Turns a checked definition into what the fold asks: predicates for entry, response and goal, times instead of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time

from nextwave_orchestrator.campaigns.definition import Campaign, DateOf, Goal, Schedule, Segment, Trigger, Wave
from nextwave_orchestrator.catalogue import Asked, CampaignState, EventPredicate, Happening, LiveCampaign, LiveSegment, LiveWave
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.rules.compile import asked_by, compile_rule, tests_of
from nextwave_orchestrator.rules.moments import next_moment
from nextwave_orchestrator.rules.parse import read_rule
from nextwave_orchestrator.rules.responses import compile_any, read_response
from nextwave_orchestrator.rules.tree import EventTest
from nextwave_orchestrator.triggers.dates import BIRTHDAY, PRODUCT_BIRTHDAY, DateTrigger
from nextwave_orchestrator.triggers.local_time import known_zone
from nextwave_orchestrator.triggers.timetable import Timetable

Change = tuple[str, str, str]
"""`(field, before, after)`."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def compile_segment(segment: Segment) -> LiveSegment:
    """The segment with its rule compiled. Raises `FaultyError` for a rule that was never checked."""
    rule = read_rule(segment.rule, "/rule")
    asked = asked_by(test for test in tests_of(rule) if isinstance(test, EventTest))
    return LiveSegment(key=segment.key, priority=segment.priority, matches=compile_rule(rule), asked=asked, next_moment=next_moment(rule))


def compile_campaign(campaign: Campaign, version: int, state: CampaignState) -> LiveCampaign:
    """The campaign compiled. Raises `FaultyError` or `ValueError` for a definition that was never checked."""
    reentry = campaign.entry.reentry
    return LiveCampaign(
        definition=campaign,
        version=version,
        state=state,
        enters=_entry(campaign.entry.on),
        reentry=None if reentry is None else duration(reentry.after),
        is_goal=_goal(campaign.goal),
        goal_within=duration(campaign.goal.within),
        waves=tuple(_wave(wave) for wave in campaign.waves),
        spacing=duration,
        asked=_asked(campaign),
        date=_date(campaign.entry.on.date),
        schedule=_schedule(campaign.entry.on.schedule),
    )


def _asked(campaign: Campaign) -> Asked:
    tests = (*_goal_tests(campaign.goal), *(test for wave in campaign.waves for test in read_response(wave.response)))
    key = campaign.entry.key
    return asked_by(tests) | ({(test.type, key) for test in tests} if key else set())


def _wave(wave: Wave) -> LiveWave:
    return LiveWave(
        key=wave.key,
        window=duration(wave.window),
        mixes=tuple((mix.segment, mix.channels) for mix in wave.mixes),
        enter_after="" if wave.enter is None else wave.enter.after,
        enter_unless_responded=wave.enter is not None and wave.enter.unless == "responded",
        enter_on={} if wave.enter is None else dict(wave.enter.on.items()),
        is_response=compile_any(read_response(wave.response)),
        best=frozenset(mix.segment for mix in wave.mixes if mix.pick == "best"),
    )


def _goal(goal: Goal) -> EventPredicate:
    return compile_any(_goal_tests(goal))


def _goal_tests(goal: Goal) -> tuple[EventTest, ...]:
    return read_response({"event": goal.event, "where": goal.where})


def _entry(on: Trigger) -> Callable[[Happening | None, Sequence[Change]], bool]:
    if on.event:
        is_entry = compile_any(read_response({"event": on.event, "where": on.where}))
        return lambda happening, _: happening is not None and is_entry(happening)
    if on.entered:
        entered = frozenset((name, value) for name, values in on.entered.items() for value in values)
        return lambda _, changes: any((name, after) in entered and before != after for name, before, after in changes)
    left = frozenset((name, value) for name, values in on.left.items() for value in values)
    return lambda _, changes: any((name, before) in left and before != after for name, before, after in changes)


def _date(written: DateOf | None) -> DateTrigger | None:
    if written is None:
        return None
    shift = duration(written.after).days if written.after else -duration(written.before).days if written.before else 0
    yearly = written.yearly or written.of in {BIRTHDAY, PRODUCT_BIRTHDAY}
    return DateTrigger(of=written.of, shift_days=shift, clock=time.fromisoformat(written.at), yearly=yearly)


def _schedule(written: Schedule | None) -> Timetable | None:
    if written is None:
        return None
    first = datetime.fromisoformat(written.at)
    return Timetable(
        first=first,
        every=written.every or "",
        weekdays=frozenset(WEEKDAYS.index(day) for day in written.on) or frozenset({first.weekday()}),
        zone=None if written.zone == "customer" else known_zone(written.zone),
        pace=written.pace,
    )

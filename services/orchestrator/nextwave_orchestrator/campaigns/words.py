"""A campaign in sentences, so that who approves it reads what it does, and to whom, without knowing its notation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nextwave_contracts.money import in_words as money

from nextwave_orchestrator.campaigns.definition import Campaign, Entry, Segment, Step, Trigger, Wave
from nextwave_orchestrator.campaigns.timing import date_in_words, schedule_in_words
from nextwave_orchestrator.rules.parse import read_rule
from nextwave_orchestrator.rules.responses import read_response
from nextwave_orchestrator.rules.text import NAMES, event_in_words, in_words


def campaign_in_words(campaign: Campaign, segments: Mapping[str, Segment]) -> tuple[str, ...]:
    """The goal, who enters, and each wave, a sentence each. The campaign must be checked; a segment that is missing says so."""
    goal = campaign.goal
    (reached,) = read_response({"event": goal.event, "where": goal.where})
    worth = f", worth {money(goal.value, goal.currency)}" if goal.value else ""
    return (
        f"Goal ({campaign.purpose}, {campaign.owner}): {event_in_words(reached)}, within {goal.within} of the entry{worth}.",
        f"Entry: {_entry(campaign.entry)}; {_who(campaign.entry.audience.segment, segments)}.",
        *(f"Wave {wave.key} ({wave.window}): {_wave(wave, segments)}." for wave in campaign.waves),
    )


def _entry(entry: Entry) -> str:
    again = f", again after {entry.reentry.after}" if entry.reentry else ", once"
    return _trigger(entry.on) + (f", each {entry.key} by itself" if entry.key else "") + again


def _trigger(on: Trigger) -> str:
    if on.event:
        (event,) = read_response({"event": on.event, "where": on.where})
        return event_in_words(event)
    if on.entered:
        return " or ".join(f"{NAMES.get(name, name)} becomes {' or '.join(values)}" for name, values in on.entered.items())
    if on.left:
        return " or ".join(f"{NAMES.get(name, name)} is no longer {' or '.join(values)}" for name, values in on.left.items())
    if on.date:
        return date_in_words(on.date)
    return schedule_in_words(on.schedule) if on.schedule else "never"


def _who(key: str, segments: Mapping[str, Segment]) -> str:
    if key == "*":
        return "everybody"
    return f"{key}, that is whoever has {segment_in_words(segments[key])}" if key in segments else f"{key} (there is no such segment)"


def segment_in_words(segment: Segment) -> str:
    """The rule of a checked segment, one line."""
    return in_words(read_rule(segment.rule, "/rule"))


def _wave(wave: Wave, segments: Mapping[str, Segment]) -> str:
    parts = [*_way_in(wave), *(f"{_short(m.segment, segments)} by {_channels(m.channels)}" for m in wave.mixes)]
    answers = " or ".join(event_in_words(test) for test in read_response(wave.response))
    return "; ".join([*parts, f"answered by {answers}" if answers else "nothing answers it"])


def _way_in(wave: Wave) -> Iterator[str]:
    if wave.enter is None:
        return
    if wave.enter.on:
        yield from (f"after {wave.enter.after} was {reach}: by {_channels((one,))}" for reach, one in wave.enter.on.items())
    else:
        yield f"after {wave.enter.after}" + (" without a response" if wave.enter.unless else "")


def _short(key: str, segments: Mapping[str, Segment]) -> str:
    return "everybody else" if key == "*" else f"{key} ({segments[key].name})" if key in segments else key


def _channels(steps: tuple[Step, ...]) -> str:
    return ", else ".join(
        step.channel + (f" up to {step.attempts} times, {step.spacing} apart" if step.attempts > 1 else "") for step in steps
    )

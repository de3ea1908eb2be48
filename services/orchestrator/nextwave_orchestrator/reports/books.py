"""What a turn books: small sums by day and place, written with the states they come from, so that no report scans anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Literal, NamedTuple

from nextwave_contracts.actions import ActionMessage
from nextwave_contracts.decisions import Decision, DecisionMessage, GoalReached, RunEnded, RunStarted, WaveClosed

from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.reports.credit import shared
from nextwave_orchestrator.responses.counting import counted, week_of
from nextwave_orchestrator.responses.rates import Cell, Seen
from nextwave_orchestrator.turn import Turn

Fact = Literal["entered", "candidate", "contact", "closed", "response", "goal", "converted", "benefit", "ended"]
FACTS: dict[Fact, str] = {
    "entered": "a run began; code `first` or `again`",
    "candidate": "a candidate was decided; code is result/reason",
    "contact": "a provider took a contact; amount is its direct cost, loading the indirect one",
    "closed": "a wave closed; code is how its contact ended, empty where there was none",
    "response": "a wave closed with a response; code as with closed",
    "goal": "a goal was reached; amount is what it is worth; code `first` or `again`",
    "converted": "a first run reached its goal, booked on the day on which it began",
    "benefit": "a part of what a goal event is worth; code `shared` (count: contacts that share) or `untouched` (nobody had contacted)",
    "ended": "a run ended; code is the reason",
}


class Entry(NamedTuple):
    """Where a fact is booked. What does not apply is empty, the version 0."""

    day: date
    campaign: str
    version: int
    fact: Fact
    code: str = ""
    wave: str = ""
    segment: str = ""
    channel: str = ""
    held_by: str = ""


class Sums(NamedTuple):
    """How often, and minor units."""

    times: int = 0
    amount: int = 0
    loading: int = 0

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(self.times + other.times, self.amount + other.amount, self.loading + other.loading)


ONCE = Sums(1)


@dataclass(slots=True)
class Books:
    """What a batch books."""

    entries: dict[Entry, Sums] = field(default_factory=dict)
    answers: dict[tuple[int, Cell], Seen] = field(default_factory=dict)
    """Contacts counted for response rates, by week and cell."""

    def book(self, turn: Turn) -> None:
        """Adds all facts of a turn."""
        for entry, sums in entries_of(turn):
            self.entries[entry] = self.entries.get(entry, Sums()).plus(sums)
        for message in turn.messages:
            if isinstance(message, WaveClosed) and asks_for_answer(turn.catalogue, message):
                self._count(message)

    def _count(self, closed: WaveClosed) -> None:
        for cell, seen in counted(closed):
            key = week_of(closed.at), cell
            self.answers[key] = self.answers.get(key, Seen(0, 0)).plus(seen)


def asks_for_answer(catalogue: Catalogue, closed: WaveClosed) -> bool:
    """Whether the wave names responses: the silence of one that asks for none says nothing."""
    campaign = catalogue.campaigns.get((closed.campaign, closed.version))
    waves = () if campaign is None else campaign.definition.waves
    return any(wave.response for wave in waves if wave.key == closed.wave)


def entries_of(turn: Turn) -> Iterator[tuple[Entry, Sums]]:
    """Every fact of the turn with its place."""
    policy = turn.catalogue.policy
    for outcome in turn.contacts:
        cost = Sums(1, outcome.cost, round(outcome.cost * policy.loading_share))
        place = {"wave": outcome.wave, "segment": outcome.segment, "channel": outcome.channel}
        yield Entry(outcome.at.date(), outcome.campaign, outcome.version, "contact", **place), cost
    yield from (booked for message in turn.messages for booked in _of_message(message))
    yield from _benefits(turn)


def _of_message(message: ActionMessage | DecisionMessage) -> Iterable[tuple[Entry, Sums]]:
    match message:
        case Decision():
            code = f"{message.result}/{message.reason}"
            return [(_entry(message, "candidate", code, wave=message.wave, segment=message.segment, channel=message.channel), ONCE)]
        case RunStarted():
            return [(_entry(message, "entered", _nth(message), segment=message.segment, held_by=message.held_by), ONCE)]
        case WaveClosed():
            place = {"wave": message.wave, "segment": message.segment, "channel": message.channel}
            facts: tuple[Fact, ...] = ("closed", "response") if message.responded else ("closed",)
            return [(_entry(message, fact, message.reach, **place), ONCE) for fact in facts]
        case GoalReached():
            return _of_goal(message)
        case RunEnded():
            return [(_entry(message, "ended", message.reason), ONCE)]
        case _:
            return ()


def _of_goal(goal: GoalReached) -> Iterator[tuple[Entry, Sums]]:
    reached = _entry(goal, "goal", _nth(goal), segment=goal.segment, held_by=goal.held_by)
    yield reached, Sums(1, goal.value)
    if not goal.again and goal.entered_at is not None:
        yield reached._replace(day=goal.entered_at.date(), fact="converted", code=""), ONCE


def _benefits(turn: Turn) -> Iterator[tuple[Entry, Sums]]:
    """One event is one benefit, however many campaigns have it for their goal: the most that one of them says it is worth.

    Goals of who is held out count for the comparison only.
    """
    goals = [message for message in turn.messages if isinstance(message, GoalReached) and not message.held_by]
    for at, same in groupby(sorted(goals, key=lambda goal: goal.at), key=lambda goal: goal.at):
        goal = min(same, key=lambda goal: (-goal.value, goal.campaign, goal.run_id))
        yield from _benefit(turn, goal, at)


def _benefit(turn: Turn, goal: GoalReached, at: datetime) -> Iterator[tuple[Entry, Sums]]:
    parts = shared(goal.value, turn.state.touches, at, duration(turn.catalogue.policy.credit_within))
    if not parts:
        yield _entry(goal, "benefit", "untouched", segment=goal.segment), Sums(0, goal.value)
    for toucher, part, contacts in parts:
        place = {"wave": toucher.wave, "segment": toucher.segment, "channel": toucher.channel}
        yield Entry(at.date(), toucher.campaign, toucher.version, "benefit", "shared", **place), Sums(contacts, part)


def _nth(message: RunStarted | GoalReached) -> str:
    return "again" if message.again else "first"


def _entry(message: DecisionMessage, fact: Fact, code: str, **place: str) -> Entry:
    return Entry(message.at.date(), message.campaign, message.version, fact, code, **place)

"""Checks the way of every customer through every campaign: who entered, that each wave closed once and rightly, and what followed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import CustomerAbsorbed, CustomerUpdated
from nextwave_contracts.decisions import Decision, GoalReached, RunEnded, RunStarted, WaveClosed
from unit.simulation.checker import waves
from unit.simulation.checker.caps import span
from unit.simulation.history import Rules, Step

CUT_SHORT = frozenset({"reentered", "campaign_ended", "merged"})
PATIENCE = timedelta(days=4)
"""Nothing is left open so long after its time."""


@dataclass(slots=True)
class Way:
    """A run as it goes: the open wave with its window, and what it has done. `n` counts steps."""

    start: RunStarted
    document: waves.Document
    key: str
    since: int
    """The step in which the open wave was opened."""
    wave: str
    opened_at: datetime
    closes_at: datetime
    actions: set[str] = field(default_factory=set)
    decided: list[Decision] = field(default_factory=list)
    goal_at: datetime | None = None
    replaced: bool = False
    ended: RunEnded | None = None
    closed: set[str] = field(default_factory=set)


class Runs:
    """Goes through the steps once, with all that ever came to each customer at hand."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._came: dict[str, list[tuple[int, CustomerUpdated]]] = defaultdict(list)
        self._ways: dict[str, Way] = {}
        self._newest: dict[tuple[str, str, str], Way] = {}
        self._absorbed: set[str] = set()
        self._rules: Rules
        for n, step in enumerate(steps):
            if step.place == "orchestrator" and isinstance(step.took, CustomerUpdated):
                self._came[step.took.customer_id].append((n, step.took))

    def faults(self) -> Iterator[str]:
        """Every fault of a run."""
        for n, step in enumerate(self._steps):
            if isinstance(step.took, Rules):
                self._rules = step.took
            if step.place == "orchestrator":
                yield from self._step(n, step)
        end = self._steps[-1].now
        for way in self._ways.values():
            if way.ended is None and way.closes_at + PATIENCE < end:
                yield f"{_label(way)} never ended; its wave {way.wave} closes at {way.closes_at}"

    def _step(self, n: int, step: Step) -> Iterator[str]:
        if isinstance(step.took, CustomerAbsorbed):
            self._absorbed.add(step.took.customer_id)
        before = {name: way.start.at for name, way in self._newest_entries(step)}
        for message in step.said:
            match message:
                case RunStarted():
                    yield from self._started(n, step, message)
                case WaveClosed(run_id=run):
                    yield from self._closed(n, step, self._ways[run], message)
                case Contact(run_id=run, action_id=action):
                    self._ways[run].actions.add(action)
                case Decision(run_id=run):
                    yield from self._decided(self._ways[run], message)
                case RunEnded(run_id=run):
                    yield from self._ended(self._ways[run], message)
                case GoalReached(run_id=run):
                    yield from self._reached(self._ways[run], message)
        if isinstance(step.took, CustomerUpdated):
            yield from self._who_enters(step, step.took, before)

    def _newest_entries(self, step: Step) -> list[tuple[tuple[str, str, str], Way]]:
        customer = getattr(step.took, "customer_id", None)
        return [(name, way) for name, way in self._newest.items() if name[0] == customer] if customer else []

    def _who_enters(self, step: Step, update: CustomerUpdated, before: dict[Any, datetime]) -> Iterator[str]:
        """Exactly the campaigns that this lets the customer in, by their rules of entry and re-entry."""
        wanted = set()
        moves = update.customer_id not in self._absorbed and not waves.is_history(update)
        for campaign, version in self._rules.live.items() if moves else ():
            document = self._rules.campaigns[campaign, version]
            key = _entry_key(document, update)
            if key is None or not waves.enters(document, update):
                continue
            last, again = before.get((update.customer_id, campaign, key)), document["entry"].get("reentry")
            if last is None or (again and update.at >= last + span(again["after"])):
                wanted.add((campaign, version))
        got = [(message.campaign, message.version) for message in step.said if isinstance(message, RunStarted)]
        if sorted(got) != sorted(wanted):
            yield f"{update.customer_id} entered {got} at {update.at} instead of {sorted(wanted)}"

    def _started(self, n: int, step: Step, start: RunStarted) -> Iterator[str]:
        document = self._rules.campaigns[start.campaign, start.version]
        assert isinstance(step.took, CustomerUpdated)
        key = _entry_key(document, step.took) or ""
        first = document["waves"][0]
        way = Way(start, document, key, n, first["key"], start.at, max(step.now, start.at) + span(first["window"]))
        if start.run_id in self._ways:
            yield f"{_label(way)} started twice"
        if start.customer_id in self._absorbed:
            yield f"{_label(way)} started for a customer who had become part of another"
        name = (start.customer_id, start.campaign, key)
        if name in self._newest:
            self._newest[name].replaced = True
        self._ways[start.run_id] = self._newest[name] = way

    def _closed(self, n: int, step: Step, way: Way, closed: WaveClosed) -> Iterator[str]:
        if closed.wave in way.closed or closed.wave != way.wave or way.ended is not None:
            yield f"{_label(way)}: wave {closed.wave} closed out of turn"
        way.closed.add(closed.wave)
        answers = self._answers(way)
        early = closed.at < way.closes_at
        if closed.responded and not any(at == closed.at for _, at in answers) and not way.goal_at:
            yield f"{_label(way)}: wave {way.wave} is said to be answered at {closed.at}, and was not"
        missed = [str(at) for m, at in answers if m < n or not (early or way.goal_at)]
        if not closed.responded and missed and closed.reach != "refused":
            window = f"[{way.opened_at}, {way.closes_at})"
            yield f"{_label(way)}: wave {way.wave} {window} closed unanswered at {closed.at}, answered at {missed}"
        if not early and isinstance(step.took, CustomerUpdated) and not way.goal_at:
            yield f"{_label(way)}: wave {way.wave} was closed by what came after its window"
        if early and not (closed.responded or closed.reach == "refused" or way.goal_at):
            yield f"{_label(way)}: wave {way.wave} closed early at {closed.at}"
        if way.goal_at:
            return
        way.wave = waves.next_wave(way.document, closed.wave, responded=closed.responded, reach=closed.reach)
        if way.wave:
            way.since, way.opened_at = n, closed.at
            way.closes_at = max(step.now, closed.at) + span(waves.wave_of(way.document, way.wave)["window"])

    def _answers(self, way: Way) -> list[tuple[int, datetime]]:
        """Every response that was received in the open wave's window, whenever it was taken in: `(step, instant)`."""
        written = waves.wave_of(way.document, way.wave).get("response", {})
        return [
            (n, update.at)
            for n, update in self._came[way.start.customer_id]
            if n != way.since
            and waves.is_within(way.opened_at, update.at, way.closes_at)
            and not waves.is_history(update)
            and waves.is_one_of(written, update)
            and waves.concerns(way.document, way.key, way.actions, update)
        ]

    def _decided(self, way: Way, decision: Decision) -> Iterator[str]:
        if way.ended is not None or decision.wave != way.wave or decision.version != way.start.version:
            yield f"{_label(way)}: a decision for wave {decision.wave} of version {decision.version} while {way.wave or 'none'} was open"
        earlier = [d for d in way.decided if d.wave == decision.wave]
        if earlier and (earlier[-1].result != "defer" or earlier[-1].until is None or decision.at < earlier[-1].until):
            yield f"{_label(way)}: a second candidate in wave {decision.wave} at {decision.at}"
        way.decided.append(decision)
        if decision.result == "act" and way.start.holdout:
            yield f"{_label(way)}: contact with somebody held out"

    def _ended(self, way: Way, ended: RunEnded) -> Iterator[str]:
        if way.ended is not None:
            yield f"{_label(way)} ended twice"
        way.ended = ended
        is_over = not way.wave or (ended.reason == "goal" and way.goal_at is not None) or (way.start.holdout and ended.at == way.start.at)
        if ended.reason not in CUT_SHORT and not is_over:
            yield f"{_label(way)} ended ({ended.reason}) with wave {way.wave} open"
        if ended.reason in CUT_SHORT and not way.wave:
            yield f"{_label(way)} ended ({ended.reason}) after its last wave"

    def _reached(self, way: Way, goal: GoalReached) -> Iterator[str]:
        wanted = way.document["goal"]
        if way.goal_at is not None:
            yield f"{_label(way)} reached its goal twice"
        if way.ended is None:
            way.goal_at = goal.at
        until = way.start.at + span(wanted["within"])
        came = (update for _, update in self._came[goal.customer_id] if update.at == goal.at)
        is_it = any(waves.event_of(update)[0] == wanted["event"] for update in came)
        if not is_it or not waves.is_within(way.start.at, goal.at, until) or way.replaced:
            yield f"{_label(way)} (entered {way.start.at}) is said to have reached its goal at {goal.at}, and did not"


def _entry_key(document: waves.Document, update: CustomerUpdated) -> str | None:
    name = document["entry"].get("key", "")
    value = waves.event_of(update)[1].get(name) if name else ""
    return None if value is None else str(value)


def _label(way: Way) -> str:
    return f"run {way.start.run_id[:8]} of {way.start.customer_id[:8]} in {way.start.campaign} v{way.start.version}"

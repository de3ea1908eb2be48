"""Checks the way of every customer through every campaign: who entered, that each wave closed once and rightly, and what followed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.decisions import Decision, GoalReached, RunEnded, RunStarted, WaveClosed
from unit.simulation.checker import waves
from unit.simulation.checker.caps import span
from unit.simulation.checker.entries import Entries, Wish
from unit.simulation.checker.merges import Merges, customer_of, left_by
from unit.simulation.history import Rules, Step

CUT_SHORT = frozenset({"reentered", "campaign_ended", "merged"})
PATIENCE = timedelta(days=4)
"""Nothing is left open so long after its time."""


@dataclass(slots=True)
class Way:
    """A run as it goes: the open wave with its window, and what it has done. `n` counts steps."""

    start: RunStarted
    owner: str
    """Whose run it is now: a merge hands it over."""
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
        self._merges = Merges()
        self._entries = Entries(self._merges)
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
        self._merges.follow(step, self._rules)
        wishes = {(wish.campaign, wish.update.at): wish for wish in self._entries.of(n, step, self._rules)}
        got = sorted((s.campaign, s.at, s.version) for s in step.said if isinstance(s, RunStarted))
        wanted = sorted((campaign, at, self._rules.live[campaign]) for campaign, at in wishes)
        if got != wanted:
            yield f"entered {got} by {step.took} instead of {wanted}"
        self._hand_over(step)
        for message in step.said:
            if isinstance(message, RunStarted):
                yield from self._started(step, message, wishes.get((message.campaign, message.at)))
            elif isinstance(message, Contact):
                self._ways[message.run_id].actions.add(message.action_id)
            elif isinstance(message, WaveClosed | Decision | RunEnded | GoalReached):
                yield from self._went_on(n, step, self._ways[message.run_id], message)
        if left_by(step.took):
            yield from self._double(customer_of(step.took))

    def _went_on(self, n: int, step: Step, way: Way, message: WaveClosed | Decision | RunEnded | GoalReached) -> Iterator[str]:
        if way.owner != message.customer_id:
            yield f"{_label(way)} went on with {message.customer_id}"
        match message:
            case WaveClosed():
                yield from self._closed(n, step, way, message)
            case Decision():
                yield from self._decided(way, message)
            case RunEnded():
                yield from self._ended(way, message)
            case GoalReached():
                yield from self._reached(way, message)

    def _hand_over(self, step: Step) -> None:
        """What an absorbed customer was in goes on with the heir."""
        heir = customer_of(step.took)
        members = self._merges.members(heir) if left_by(step.took) else set()
        for way in self._ways.values():
            if way.owner in members:
                way.owner = heir

    def _double(self, heir: str) -> Iterator[str]:
        """Two who are one have one run in each matter; without re-entry it is the first."""
        ways = [way for way in self._ways.values() if way.owner == heir and way.ended is None]
        counted = Counter((way.start.campaign, way.key) for way in ways)
        yield from (f"{heir} has {count} runs in {matter} after a merge" for matter, count in counted.items() if count > 1)
        for way in ways:
            before = [other for other in self._rivals(way) if other.start.at < way.start.at]
            if before and "reentry" not in way.document["entry"]:
                yield f"{_label(way)} goes on although {heir} had entered at {before[0].start.at}"

    def _rivals(self, way: Way) -> list[Way]:
        """Other runs in the same matter of the same customer."""
        matter = (way.owner, way.start.campaign, way.key)
        return [other for other in self._ways.values() if (other.owner, other.start.campaign, other.key) == matter and other is not way]

    def _started(self, step: Step, start: RunStarted, wish: Wish | None) -> Iterator[str]:
        if wish is None:
            yield f"run {start.run_id[:8]} of {start.customer_id[:8]} started for no reason"
        document = self._rules.campaigns[start.campaign, start.version]
        first = document["waves"][0]
        closes_at = max(step.now, start.at) + span(first["window"])
        way = Way(start, start.customer_id, document, wish.key if wish else "", wish.n if wish else 0, first["key"], start.at, closes_at)
        if start.run_id in self._ways:
            yield f"{_label(way)} started twice"
        if start.customer_id in self._merges.gone:
            yield f"{_label(way)} started for a customer who had become part of another"
        for other in self._rivals(way):
            other.replaced = True
        self._ways[start.run_id] = way

    def _closed(self, n: int, step: Step, way: Way, closed: WaveClosed) -> Iterator[str]:
        if closed.wave in way.closed or closed.wave != way.wave or way.ended is not None:
            yield f"{_label(way)}: wave {closed.wave} closed out of turn"
        way.closed.add(closed.wave)
        answers = self._answers(way)
        early = closed.at < way.closes_at
        if closed.responded and not any(at == closed.at for _, at in answers) and not way.goal_at:
            yield f"{_label(way)}: wave {way.wave} is said to be answered at {closed.at}, and was not"
        missed = [str(at) for m, at in answers if m < n or not (early or way.goal_at) if not way.goal_at or at <= closed.at]
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
            for member in self._merges.members(way.owner)
            for n, update in self._came[member]
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
        if earlier and not _may_follow(earlier[-1], decision):
            yield f"{_label(way)}: a second candidate in wave {decision.wave} at {decision.at}"
        way.decided.append(decision)
        if decision.result == "act" and way.start.holdout:
            yield f"{_label(way)}: contact with somebody held out"

    def _ended(self, way: Way, ended: RunEnded) -> Iterator[str]:
        if way.ended is not None:
            yield f"{_label(way)} ended twice"
        way.ended = ended
        if ended.reason == "merged" and not self._rivals(way):
            yield f"{_label(way)} ended by a merge with nobody who was in the campaign"
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
        members = self._merges.members(way.owner)
        came = (update for member in members for _, update in self._came[member] if update.at == goal.at)
        is_it = any(waves.event_of(update)[0] == wanted["event"] for update in came)
        if not is_it or not waves.is_within(way.start.at, goal.at, until) or way.replaced:
            yield f"{_label(way)} (entered {way.start.at}) is said to have reached its goal at {goal.at}, and did not"


def _may_follow(before: Decision, after: Decision) -> bool:
    """Whether a candidate may be made again: at the instant to which it was put off, or earlier where its winner gave way."""
    is_due = before.until is not None and after.at >= before.until
    return before.result == "defer" and (is_due or (before.reason == "outranked" and any(rival.ahead for rival in before.rivals)))


def _label(way: Way) -> str:
    return f"run {way.start.run_id[:8]} of {way.start.customer_id[:8]} in {way.start.campaign} v{way.start.version}"

"""What all replicas heard of each source, summed up. PURE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nextwave_contracts.reasons import IgnoreCode, RejectCode
from nextwave_contracts.sources import ItemRefused, Noted, SourceTally

from nextwave_ingest.sources.notes import RECENT_MAX, together

UNHEARD = timedelta(days=1)
"""A replica that was not heard of for so long is gone, and what it counted with it."""


@dataclass(slots=True)
class DoorCounts:
    """What came through one door or mapping, at one replica or over all."""

    last_seen_at: datetime
    accepted: int = 0
    ignored: int = 0
    ignored_for: Counter[IgnoreCode] = field(default_factory=Counter)
    rejected: Counter[RejectCode] = field(default_factory=Counter)
    warned: int = 0


@dataclass(slots=True)
class SourceSum:
    """One source, over all replicas, since the first of them started."""

    since: datetime | None = None
    doors: dict[str, DoorCounts] = field(default_factory=dict)
    distances: Counter[int] = field(default_factory=Counter)
    ahead: int = 0
    turned_away: int = 0
    turned_away_for: Counter[str] = field(default_factory=Counter)
    turned_away_last: list[Noted] = field(default_factory=list)
    ignored_last: list[Noted] = field(default_factory=list)
    warned_last: list[Noted] = field(default_factory=list)
    refusals: list[ItemRefused] = field(default_factory=list)
    """The last ones, newest first."""


class Board:
    """The newest tally of each replica's life."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], SourceTally] = {}

    def take(self, tally: SourceTally) -> None:
        """In any order, any number of times: the newest counts."""
        before = self._tallies.get((tally.replica, tally.source))
        if before is None or before.at <= tally.at:
            self._tallies[tally.replica, tally.source] = tally

    def sums(self, now: datetime) -> dict[str, SourceSum]:
        """By source. Forgets replicas that are gone."""
        self._tallies = {key: tally for key, tally in self._tallies.items() if now - tally.at < UNHEARD}
        sources = {tally.source for tally in self._tallies.values()}
        return {source: summed(tally for tally in self._tallies.values() if tally.source == source) for source in sorted(sources)}


def summed(tallies: Iterable[SourceTally]) -> SourceSum:
    """The sum, in whatever order they are given."""
    total, tallies = SourceSum(), list(tallies)
    for tally in tallies:
        total.since = min(total.since or tally.since, tally.since)
        total.turned_away += tally.turned_away
        total.turned_away_for.update(tally.turned_away_for)
        total.ahead += tally.clock.ahead
        total.distances.update(tally.clock.distances)
        total.refusals += tally.refusals
        for name, door in tally.doors.items():
            into = total.doors.setdefault(name, DoorCounts(door.last_seen_at))
            into.last_seen_at = max(into.last_seen_at, door.last_seen_at)
            into.accepted += door.accepted
            into.ignored += door.ignored
            into.ignored_for.update(door.ignored_for)
            into.warned += door.warned
            into.rejected.update(door.rejected)
    total.refusals = sorted(total.refusals, key=lambda one: (one.at, one.door, one.pointer, one.detail), reverse=True)[:RECENT_MAX]
    total.turned_away_last = together(one for tally in tallies for one in tally.turned_away_last)
    total.ignored_last = together(one for tally in tallies for one in tally.ignored_last)
    total.warned_last = together(one for tally in tallies for one in tally.warned_last)
    return total

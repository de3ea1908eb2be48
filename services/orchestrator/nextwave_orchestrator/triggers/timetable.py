"""When a schedule comes round: once or again and again, on each customer's clock or on one, and at which pace it lets people in."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from nextwave_contracts.customers import Snapshot

from nextwave_orchestrator.triggers.local_time import GREENWICH, instant_of, zone_of

Every = Literal["", "day", "week", "month"]
Taken = tuple[tuple[int, int], ...]
"""Runs of slots that are taken, `[first, after the last)` each, in order, apart from each other."""

AHEAD = timedelta(hours=15)
"""So long before its own time in UTC an occurrence begins to be handed out: the easternmost clocks are 14 hours ahead."""
BEHIND = timedelta(hours=13)
"""So long after it the last clock on Earth shows it, at the latest (12 hours, and a change of clocks)."""
MINUTE = timedelta(minutes=1)
_RESOLUTION = timedelta.resolution


@dataclass(frozen=True, slots=True)
class Timetable:
    """Occurrences are local times (naive), the first of them `first`. `weekdays` (Monday is 0) are those of a weekly one.

    `zone` None: on each customer's own clock. `pace` is entries a minute over all partitions, 0 without a limit.
    """

    first: datetime
    every: Every = ""
    weekdays: frozenset[int] = frozenset()
    zone: ZoneInfo | None = None
    pace: int = 0

    def next_local(self, after: datetime) -> datetime | None:
        """The first occurrence after a local time."""
        if after < self.first:
            day = self.first
        elif not self.every:
            return None
        else:
            day = datetime.combine(after.date(), self.first.time())
            day += timedelta(days=day <= after)
        return self._on_or_after(day)

    def _on_or_after(self, day: datetime) -> datetime:
        if self.every == "week":
            return next(one for n in range(7) if (one := day + timedelta(days=n)).weekday() in self.weekdays)
        if self.every == "month":
            return next(one for one in _monthly(self.first, day) if one >= day)
        return day

    def has(self, local: datetime) -> bool:
        """Whether this is one of the occurrences."""
        return self.next_local(local - _RESOLUTION) == local

    def starts_at(self, local: datetime) -> datetime:
        """When an occurrence begins to be handed out; in a fixed zone it is everybody's instant, else theirs is up to 28 hours later."""
        return instant_of(local, GREENWICH) - AHEAD if self.zone is None else instant_of(local, self.zone)

    def ends_at(self, local: datetime) -> datetime:
        """The last instant that an occurrence is for anybody."""
        return instant_of(local, GREENWICH) + BEHIND if self.zone is None else instant_of(local, self.zone)

    def next_after(self, instant: datetime) -> datetime | None:
        """The first occurrence that is for somebody after this instant."""
        local = self.next_local(instant.astimezone(UTC).replace(tzinfo=None) - timedelta(days=3))
        while local is not None and self.ends_at(local) <= instant:
            local = self.next_local(local)
        return local

    def instant(self, local: datetime, profile: Snapshot) -> datetime:
        """When an occurrence is for this customer."""
        return instant_of(local, self.zone or zone_of(profile.zones))

    def being_handed_out(self, now: datetime) -> tuple[datetime, ...]:
        """Occurrences on customers' own clocks that have started and that some clock on Earth has still before it."""
        return () if self.zone is not None else _under_way(self, now.replace(microsecond=0))


@dataclass(frozen=True, slots=True)
class Lane:
    """The slots of one partition: every `partitions`-th of the grid `start` + n minutes / pace, so that all lanes together keep it."""

    start: datetime
    pace: int
    partition: int
    partitions: int

    @property
    def step(self) -> timedelta:
        """From one slot to the next."""
        return self.partitions * MINUTE / self.pace

    def take(self, taken: Taken, wanted: datetime) -> tuple[datetime, Taken]:
        """The first free slot not before `wanted`, and what is taken now."""
        slot = self._first_from(wanted)
        for first, end in taken:
            if first <= slot < end:
                slot = end
        return self._at(slot), _with(taken, slot)

    def ahead(self, taken: Taken, now: datetime) -> Taken:
        """What is taken of the slots that are still to come; others are given to nobody."""
        return tuple(run for run in taken if run[1] > self._first_from(now))

    def _first_from(self, wanted: datetime) -> int:
        grid = -((self.start - wanted) * self.pace // MINUTE)
        return max(0, -((self.partition - grid) // self.partitions))

    def _at(self, slot: int) -> datetime:
        return self.start + (slot * self.partitions + self.partition) * MINUTE / self.pace


@lru_cache(maxsize=1024)
def _under_way(timetable: Timetable, now: datetime) -> tuple[datetime, ...]:
    """Asked at every update, so found once a second: occurrences are of whole seconds."""
    found: list[datetime] = []
    local = timetable.next_after(now)
    while local is not None and timetable.starts_at(local) <= now:
        found.append(local)
        local = timetable.next_local(local)
    return tuple(found)


def _with(taken: Taken, slot: int) -> Taken:
    joined: list[tuple[int, int]] = []
    for first, end in sorted((*taken, (slot, slot + 1))):
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    return tuple(joined)


def _monthly(first: datetime, day: datetime) -> Iterator[datetime]:
    """On the day of the month of the first one; on the last day of a month that is too short."""
    for n in range(3):
        year, month = day.year + (day.month - 1 + n) // 12, (day.month - 1 + n) % 12 + 1
        yield datetime.combine(day.replace(year=year, month=month, day=min(first.day, monthrange(year, month)[1])).date(), first.time())

"""A slow, independent reading of local time: it watches a wall clock in UTC quarter hours, and never asks a library for an instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
TEN_YEARS = (datetime(2022, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC))


def wall(text: str) -> datetime:
    """A local time, in no zone."""
    return datetime.fromisoformat(text)


def shown(zone: ZoneInfo, instant: datetime) -> datetime:
    """What the wall clock shows."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def watched(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """`(instant, what the clock shows)` each quarter of an hour of UTC."""
    while start < end:
        yield start, shown(zone, start)
        start += QUARTER


def first_showing(zone: ZoneInfo, local: datetime) -> datetime:
    """The first quarter hour at which the clock shows `local`; where it never does, when it would have without the change of clocks."""
    around = local.replace(tzinfo=UTC)
    before = around - 16 * QUARTER * 4
    for instant, shows in watched(zone, before, around + 40 * QUARTER * 4):
        if shows == local:
            return instant
        if shows > local:
            return before + (local - shown(zone, before))
        before = instant
    raise AssertionError(f"{zone} never shows {local}")


@cache
def changing_zones() -> tuple[tuple[str, tuple[datetime, ...]], ...]:
    """Zones whose clocks change within ten years, one of each kind, with the UTC days of the changes."""
    kinds: dict[tuple[tuple[datetime, timedelta | None], ...], str] = {}
    for name in sorted(available_timezones()):
        changes = tuple(_changes(ZoneInfo(name)))
        if changes:
            kinds.setdefault(changes, name)
    return tuple((name, tuple(day for day, _ in changes)) for changes, name in kinds.items())


def _changes(zone: ZoneInfo) -> Iterator[tuple[datetime, timedelta | None]]:
    day, offset = TEN_YEARS[0], TEN_YEARS[0].astimezone(zone).utcoffset()
    while day < TEN_YEARS[1]:
        after = (day + DAY).astimezone(zone).utcoffset()
        if after != offset:
            yield day, after
        day, offset = day + DAY, after

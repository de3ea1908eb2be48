"""The instants at which a contact is permitted, as spans of UTC: exact over changes of the clocks, and cached by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
import msgspec
from nextwave_contracts.actions import Span

from nextwave_orchestrator.hours.rules import ALL_DAY, CHANNELS_WITH_HOURS, DAY, Windows, applicable, both, subdivision, without

DAYS_MAX = 62
"""Days that are looked ahead; a contact that has to wait longer is not permitted."""
SPANS_MAX = 64
QUARTER = 21_600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()


class Hours(msgspec.Struct, frozen=True, array_like=True):
    """For whom and what hours are asked. `quiet` are local `(HH:MM, HH:MM)` in which nothing may come, by the house or the customer."""

    zones: tuple[str, ...]
    country: str
    region: str
    channel: str
    quiet: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()
    """Countries where the customer may be as well, by the number: their rules and holidays hold besides."""

    @property
    def free(self) -> bool:
        """Whether nothing restricts this channel."""
        return self.channel not in CHANNELS_WITH_HOURS and not self.quiet


def permitted_spans(hours: Hours, start: datetime, end: datetime) -> tuple[Span, ...]:
    """The permitted parts of `[start, end)` in order, permitted in every candidate zone. Where no zone is known there are none."""
    if start >= end:
        return ()
    if hours.free:
        return (Span(start=start, end=end),)
    first = (start - EPOCH) // timedelta(days=1)
    last = min((end - EPOCH) // timedelta(days=1), first + DAYS_MAX)
    found: list[tuple[datetime, datetime]] = []
    for day in range(first, last + 1):
        for opens, closes in _utc_day(hours, day):
            if found and found[-1][1] == opens:
                found[-1] = (found[-1][0], closes)
            else:
                found.append((opens, closes))
    clipped = ((max(a, start), min(b, end)) for a, b in found)
    return tuple([Span(start=a, end=b) for a, b in clipped if a < b][:SPANS_MAX])


def next_allowed(hours: Hours, now: datetime) -> datetime | None:
    """`now` if permitted, else the next permitted instant; None when none comes within `DAYS_MAX` days."""
    if hours.free:
        return now
    first = (now - EPOCH) // timedelta(days=1)
    for day in range(first, first + DAYS_MAX):
        for opens, closes in _utc_day(hours, day):
            if closes > now:
                return max(opens, now)
    return None


@lru_cache(maxsize=16_384)
def _utc_day(hours: Hours, day: int) -> tuple[tuple[datetime, datetime], ...]:
    if not hours.zones:
        return ()
    ranges: tuple[tuple[int, int], ...] = ((day * DAY, (day + 1) * DAY),)
    for name in hours.zones:
        zone = _zone(name)
        ranges = both(ranges, _in_zone(zone, hours, day)) if zone else ()
    return tuple((EPOCH + timedelta(seconds=a), EPOCH + timedelta(seconds=b)) for a, b in ranges)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _in_zone(zone: ZoneInfo, hours: Hours, day: int) -> list[tuple[int, int]]:
    """Within a stretch of one offset, local time is plain UTC shifted, so that gaps and folds need no rule of their own."""
    found: list[tuple[int, int]] = []
    for start, end, offset in _stretches(zone, day * DAY, (day + 1) * DAY):
        for local_day in range((start + offset) // DAY, (end - 1 + offset) // DAY + 1):
            shift = local_day * DAY - offset
            found += both(((start, end),), [(opens + shift, closes + shift) for opens, closes in _local_windows(hours, local_day)])
    return found


def _stretches(zone: ZoneInfo, start: int, end: int) -> list[tuple[int, int, int]]:
    """`(start, end, offset)` in seconds; an offset is taken to change at most once within six hours."""
    pieces = [(start, end, _offset(zone, start))]
    for left in range(start, end, QUARTER):
        right = min(left + QUARTER, end)
        after = _offset(zone, right)
        if after != pieces[-1][2]:
            change = _change(zone, left, right)
            pieces[-1] = (pieces[-1][0], change, pieces[-1][2])
            pieces.append((change, end, after))
    return [piece for piece in pieces if piece[0] < piece[1]]


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _offset(zone: ZoneInfo, instant: int) -> int:
    shift = (EPOCH + timedelta(seconds=instant)).astimezone(zone).utcoffset()
    assert shift is not None
    return int(shift.total_seconds())


@lru_cache(maxsize=16_384)
def _local_windows(hours: Hours, local_day: int) -> Windows:
    day = date.fromordinal(EPOCH_DAY + local_day)
    ranges: Windows = ALL_DAY
    if hours.channel in CHANNELS_WITH_HOURS:
        for country, region in ((hours.country, hours.region), *((other, "") for other in hours.others)):
            if day in _holidays(country, region, day.year):
                return ()
            for rule in applicable(country, region, hours.channel):
                ranges = both(ranges, rule.on(day.weekday()))
    return without(ranges, hours.quiet)


@cache
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries())


@lru_cache(maxsize=1024)
def _holidays(country: str, region: str, year: int) -> frozenset[date]:
    """National holidays, and the subdivision's where it is known; none for a country without a calendar."""
    if country not in _countries():  # the library would take any name of its module for a country's
        return frozenset()
    part = subdivision(country, region).rpartition("-")[2]
    for named in (part, None):
        try:
            return frozenset(holidays.country_holidays(country, subdiv=named or None, years=year))
        except NotImplementedError:
            continue
    return frozenset()

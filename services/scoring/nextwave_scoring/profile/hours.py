"""At which hours of the week a channel reaches the customer: a decayed 24 x 7 histogram, kept in UTC and read in the customer's zone.

So a zone that becomes known later changes nothing stored. Sums are integers in blocks of half-lives, as in `decay`, only coarser.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from math import log
from zoneinfo import ZoneInfo

from nextwave_scoring.instants import DAY, instant

SPAN_DAYS = 90.0
"""Mean age after which an answer weighs 1/e."""
HOUR = 3_600_000_000
WEEK_HOURS = 168
_STEP = 30_000_000
"""Clocks are set at whole minutes (in Liberia in 1972 at a half one)."""
_MONDAY_HOURS = 96
"""1970 began on a Thursday: hours from the epoch to the first Monday."""
_HALF = round(SPAN_DAYS * DAY * log(2))
_BLOCK = 8
"""Half-lives of a block (499 days)."""
_BITS = 4

Hours = dict[str, int]
"""By hour of the week ("0": Monday 0:00 UTC) the sum of the newest block; those of the block before under the hour plus 168."""
Best = tuple[int, int, float]
"""Weekday (0: Monday), local hour, decayed number of answers."""


def advance(hours: dict[str, Hours], landmark: int, day: int) -> None:
    """The landmark moves on to `day`."""
    age = _block(day) - _block(landmark) if hours else 0
    if age > 0:
        for channel, sums in hours.items():
            kept = sums.items() if age == 1 else ()
            hours[channel] = {str(int(slot) + WEEK_HOURS): value for slot, value in kept if int(slot) < WEEK_HOURS}


def add(hours: dict[str, Hours], channel: str, landmark: int, at: int) -> None:
    """The customer answered on this channel at `at` (microseconds, not after the landmark's day)."""
    number, rest = divmod(at, _HALF)
    age = _block(landmark) - number // _BLOCK
    sums = hours.setdefault(channel, {})
    if age <= 1:
        slot = str((at // HOUR - _MONDAY_HOURS) % WEEK_HOURS + WEEK_HOURS * age)
        sums[slot] = sums.get(slot, 0) + (round(2.0 ** (rest / _HALF) * (1 << _BITS)) << number % _BLOCK)


def merge(a: dict[str, Hours], a_landmark: int, b: dict[str, Hours], b_landmark: int) -> dict[str, Hours]:
    """Both together, at the newer landmark."""
    merged: dict[str, Hours] = {}
    for hours, own in ((a, a_landmark), (b, b_landmark)):
        copied = {channel: dict(sums) for channel, sums in hours.items()}
        advance(copied, own, max(a_landmark, b_landmark))
        for channel, sums in copied.items():
            known = merged.setdefault(channel, {})
            for slot, value in sums.items():
                known[slot] = known.get(slot, 0) + value
    return merged


def best(hours: Hours, landmark: int, zone: str, at: int, *, most: int = 5) -> tuple[Best, ...]:
    """The best hours of the week on the clock of `zone` (IANA; as it is set at `at`, microseconds), the best first."""
    shift = _shift(zone, at // _STEP)
    fading = 2.0 ** (_block(landmark) * _BLOCK - at / _HALF - _BITS)
    local: dict[int, float] = {}
    for slot, value in hours.items():
        of_week = int(slot)
        hour = (of_week + shift) % WEEK_HOURS
        local[hour] = local.get(hour, 0.0) + (value if of_week < WEEK_HOURS else value / (1 << _BLOCK)) * fading
    ranked = sorted([(-weight, hour) for hour, weight in local.items()])[:most]
    return tuple([(hour // 24, hour % 24, round(-weight, 4)) for weight, hour in ranked])


@lru_cache(maxsize=4096)
def _shift(zone: str, step: int) -> int:
    """Whole hours that the clocks of a zone are ahead of UTC, the same for all customers there who are judged at about one time."""
    offset = instant(step * _STEP).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    return int(offset.total_seconds() // 3600)


@lru_cache(maxsize=4096)
def _block(landmark: int) -> int:
    return ((landmark + 1) * DAY - 1) // _HALF // _BLOCK

"""Durations as people write them (`90s 15m 4h 5d 2w`), so that rules, windows and caps read the same everywhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_WRITTEN = re.compile(r"([1-9][0-9]{0,7})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST = timedelta(days=3660)
FIX = "write a whole number and a unit, for example 90s, 15m, 4h, 5d or 2w, at most ten years"


FIRST_INSTANT, LAST_INSTANT = datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)
"""Between these lies every instant that people may ask about; any duration can be added to it or taken from it."""


@lru_cache(maxsize=1024)
def duration(text: str) -> timedelta:
    """The time that `text` means. Raises `ValueError` with the fix."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise ValueError(f"{text!r} is no duration: {FIX}")
    seconds = int(written[1]) * _SECONDS[written[2]]
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{text!r} is too long: {FIX}")
    return timedelta(seconds=seconds)

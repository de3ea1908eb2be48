"""Dates that sources write in their data: an RFC 3339 instant or a plain date, which is its midnight in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from nextwave_scoring.instants import LATEST, micros

_LONGEST = 40


def told(value: object) -> int:
    """Microseconds since 1970; 0 for what is no date, and for one before 1970 or after 2200, which is a fault or a filler for "never"."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return 0
    try:
        read = datetime.fromisoformat(value.strip())
        at = micros(read if read.tzinfo else read.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return 0
    return at if 0 < at <= LATEST else 0

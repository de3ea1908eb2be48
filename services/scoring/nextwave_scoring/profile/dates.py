"""Dates that sources write in their data: an RFC 3339 instant or a plain date, which is its midnight in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from nextwave_scoring.instants import micros

_LONGEST = 40


def told(value: object) -> int:
    """Microseconds since 1970; 0 for what is no date, or one before 1970."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return 0
    try:
        read = datetime.fromisoformat(value.strip())
        return max(micros(read if read.tzinfo else read.replace(tzinfo=UTC)), 0)
    except (ValueError, OverflowError):
        return 0

"""Instants as the profile stores them: integer microseconds since 1970 (UTC), exact in both directions from 1900 to 2200; 0 means never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = 86_400_000_000
"""Microseconds of a day."""
EARLIEST = (datetime(1900, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
LATEST = (datetime(2200, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
"""What is told of a customer lies between these two, and whatever is reckoned from it has room within the calendar of any zone."""


def micros(at: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (at - EPOCH) // MICROSECOND


def instant(at: int) -> datetime:
    """The aware UTC instant of microseconds since 1970. What lies beyond 1900 to 2200 is the nearer of both: it never overflows."""
    return EPOCH + (at if EARLIEST <= at <= LATEST else min(max(at, EARLIEST), LATEST)) * MICROSECOND


def instant_or_none(at: int) -> datetime | None:
    """The instant, or None for 0 (never)."""
    return instant(at) if at else None

"""A customer's own clock: which zone it runs in, and the one instant that a local time names, also where clocks change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

GREENWICH = ZoneInfo("UTC")
NEVER_YET = datetime.fromisoformat("0001-01-01T00:00")
"""Before every local time."""


@lru_cache(maxsize=2048)
def known_zone(name: str) -> ZoneInfo | None:
    """The IANA zone of that name; None where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_of(candidates: Iterable[str]) -> ZoneInfo:
    """The first candidate zone that exists; UTC for a customer of whom none is known."""
    return next((zone for zone in map(known_zone, candidates) if zone is not None), GREENWICH)


@lru_cache(maxsize=16_384)
def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a local time (naive): the first of two; one that clocks skip counts by the offset before (RFC 5545, 3.3.5)."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)

"""When a touchpoint happened: the client's clock set right by `sentAt`, and a flag where its time cannot be trusted. PURE."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import msgspec
from nextwave_contracts.touchpoints import AGE_MAX

AHEAD_MAX = timedelta(hours=24)
SKEW_MAX = timedelta(hours=24)
_NOW = timedelta(0)
_AHEAD = -AHEAD_MAX
_MILLISECONDS_FROM = 100_000_000_000
"""Numeric times from here on are milliseconds since the epoch (1973 in milliseconds, the year 5138 in seconds)."""

SENT_AT_CHARACTERS_MAX = 64


class Occurrence(msgspec.Struct, frozen=True, gc=False):
    """`at` is never later than the reception; a `suspect` time is kept and triggers nothing.

    `claimed`: `at` is the client's own word, not measured back from the reception.
    """

    at: datetime
    suspect: bool
    claimed: bool = False
    distance: timedelta | None = None
    """How far behind the reception the client's clock was when it sent, or else when it happened; less than 0: ahead."""


class UnreadableTimeError(ValueError):
    """It is no time."""


def instant(stamp: str | float, zone: tzinfo = UTC) -> datetime:
    """UTC instant of an ISO 8601 text (no zone: this one) or of seconds or milliseconds since the epoch. Raises `UnreadableTimeError`."""
    try:
        if isinstance(stamp, str):
            try:
                moment = datetime.fromisoformat(stamp)
            except ValueError:
                moment = datetime.fromisoformat(stamp.strip().upper())  # RFC 3339 also allows t and z
            if moment.tzinfo is UTC:
                return moment  # as nearly all clients write
            return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)
        return datetime.fromtimestamp(stamp / 1000 if abs(stamp) >= _MILLISECONDS_FROM else stamp, UTC)
    except (ValueError, OverflowError, OSError) as wrong:
        raise UnreadableTimeError("is no time: use RFC 3339, for example 2026-11-22T09:30:00.000Z") from wrong


def occurrence(claimed: datetime | None, sent_at: datetime | None, received_at: datetime) -> Occurrence:
    """`received_at - (sent_at - claimed)` where both stamps exist (Segment's formula), clamped to the reception."""
    if claimed is None:
        return Occurrence(received_at, suspect=False)
    behind = received_at - (claimed if sent_at is None else sent_at)
    age = behind if sent_at is None else sent_at - claimed
    try:
        at = received_at - age
    except OverflowError:
        return Occurrence(received_at, suspect=True, distance=behind)
    suspect = not _AHEAD <= age <= AGE_MAX or (sent_at is not None and abs(behind) > SKEW_MAX)
    past = age >= _NOW
    return Occurrence(at if past else received_at, suspect, sent_at is None and past, behind)


def given_instant(stamp: Any) -> datetime | None:
    """The instant of a stamp that may be absent or empty, or of any JSON type. Raises `UnreadableTimeError`."""
    if stamp is None or stamp == "":
        return None
    if not isinstance(stamp, str) and (isinstance(stamp, bool) or not isinstance(stamp, int | float)):
        raise UnreadableTimeError("is no time: send text or a number")
    return instant(stamp)


def sent_at(said: Any) -> datetime | None:
    """When a whole request was sent, by its sender's clock. What is no time is left out: no item is lost for what stands beside them."""
    if isinstance(said, str) and len(said) > SENT_AT_CHARACTERS_MAX:
        return None
    try:
        return given_instant(said)
    except UnreadableTimeError:
        return None

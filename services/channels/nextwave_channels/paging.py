"""Cursors: the place after which a page goes on, as text that callers give back as they got it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from nextwave_runtime.problem import Problem


def cursor(*place: object) -> str:
    """The place as a cursor; `after` opens it again."""
    parts = (part.isoformat() if isinstance(part, datetime) else str(part) for part in place)
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode()


def after(given: str | None, parts: int) -> tuple[str, ...] | None:
    """The place of a cursor of so many parts; None for none. Raises a 400 `Problem` for what no page gave."""
    if given is None:
        return None
    try:
        place = tuple(base64.urlsafe_b64decode(given).decode().split("\n"))
    except ValueError:
        place = ()
    if len(place) != parts or not all(part.isprintable() for part in place):
        raise bad_cursor()
    return place


def instant(written: str) -> datetime:
    """A part that is an instant. Raises a 400 `Problem`."""
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):  # overflow: an instant that is outside the calendar in UTC
        raise bad_cursor() from None


def number(written: str) -> float:
    """A part that is a number. Raises a 400 `Problem`."""
    try:
        return float(written)
    except ValueError:
        raise bad_cursor() from None


def bad_cursor() -> Problem:
    """What is said of a cursor that no page gave."""
    return Problem(400, "invalid-cursor", "pass the cursor exactly as the page before gave it, or none")

"""Times as foreign systems write them. PURE."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from nextwave_ingest.occurrence import UnreadableTimeError, instant

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")


def moment(value: Any, zone: tzinfo = UTC) -> datetime:
    """An instant as systems write it: ISO 8601, RFC 5322 (without a zone of its own in this one), seconds or milliseconds since the epoch.

    Raises `UnreadableTimeError`.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnreadableTimeError("is no time: send text or a number")
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return instant(float(value))
    try:
        return instant(value, zone)
    except UnreadableTimeError:
        if not isinstance(value, str):
            raise
        try:
            return instant(parsedate_to_datetime(value).isoformat(), zone)
        except (ValueError, TypeError, IndexError, OverflowError):
            pass
        raise


def zone_of(name: Any) -> tzinfo | None:
    """The time zone of this name in the IANA database, or None."""
    try:
        return ZoneInfo(name)
    except (OSError, TypeError, ValueError, LookupError):  # a folder of the database, no text, a way out of it, or no name in it
        return None

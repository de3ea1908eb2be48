"""Instants as people and systems write them into documents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def instant(text: Any) -> datetime | None:
    """An RFC 3339 instant or date (midnight UTC), None when it is none."""
    try:
        read = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)

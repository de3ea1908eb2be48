"""Instants as they are written on the wire."""

from __future__ import annotations

from datetime import datetime


def written(instant: datetime) -> str:
    """RFC 3339 in UTC, milliseconds."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Which contacts count, and when: each once, when its wave closes, so that nobody is taken for silent who still has time to answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from nextwave_contracts.decisions import WaveClosed

from nextwave_orchestrator.responses.rates import Cell, Seen

WEEK = timedelta(days=7)
_FIRST = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
UNMADE: frozenset[str] = frozenset({"", "failed"})
"""Reaches of a wave that contacted nobody."""


def counted(closed: WaveClosed) -> Iterator[tuple[Cell, Seen]]:
    """What the wave's contacts add, whole numbers. Of several attempts only the last can have been the one that was answered."""
    if closed.reach in UNMADE:
        return
    last = len(closed.contact_hours) - 1
    for n, hour in enumerate(closed.contact_hours):
        yield Cell(closed.segment, closed.channel, hour), Seen(1, int(closed.responded and n == last))


def week_of(at: datetime) -> int:
    """The number of the week (7 days since 1970) by which counts fade."""
    return (at - _FIRST) // WEEK

"""How far everything has been taken in: each origin says it, a reader believes it once its own mark has come that far. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from nextwave_contracts.customers import Watermark
from nextwave_contracts.places import NUMBER_MAX, Origin, Place


class Said(NamedTuple):
    """A watermark as a reader may believe it."""

    origin: Origin
    place: Place | None
    until: datetime


def read(watermark: Watermark, at: datetime) -> Said:
    """What a watermark message appended at `at` says; nobody can have taken in the future. Raises `ValueError` when it is none of ours."""
    if watermark.until.tzinfo is None or not 0 <= watermark.partition < NUMBER_MAX:
        raise ValueError("a watermark needs an instant with zone and a partition")
    place = Place.parse(watermark.last_place) if watermark.last_place else None
    return Said(Origin(watermark.processor, watermark.partition), place, min(watermark.until, at))


PENDING_MAX = 64
"""Watermarks per origin that wait for their place; beyond it the oldest is dropped (a newer one says more)."""


class WatermarkTracker:
    """The reader's side, one for each of its partitions: the least instant up to which every expected origin has been taken in."""

    def __init__(self, expected: Iterable[Origin]) -> None:
        self._expected = tuple(expected)
        self._counted: dict[Origin, datetime] = {}
        self._pending: dict[Origin, deque[tuple[Place | None, datetime]]] = {origin: deque(maxlen=PENDING_MAX) for origin in self._expected}

    def heard(self, said: Said) -> None:
        """Keeps what an origin said; it does not count yet."""
        if said.origin in self._pending:
            self._pending[said.origin].append((said.place, said.until))

    def low(self, marks: Mapping[Origin, Place]) -> datetime | None:
        """The watermark, given marks; None while an origin has not been heard. Asking changes nothing: the marks may yet be rolled back."""
        lows = [self._low(origin, marks.get(origin)) for origin in self._expected]
        known = [low for low in lows if low is not None]
        return min(known, default=None) if len(known) == len(lows) else None

    def settle(self, marks: Mapping[Origin, Place]) -> None:
        """The marks are committed: what counts by them counts for good."""
        for origin, waiting in self._pending.items():
            mark = marks.get(origin)
            low = self._low(origin, mark)
            if low is not None:
                self._counted[origin] = low
            while waiting and _reached(waiting[0][0], mark):
                waiting.popleft()

    def _low(self, origin: Origin, mark: Place | None) -> datetime | None:
        counted = self._counted.get(origin)
        reached = [until for place, until in self._pending[origin] if _reached(place, mark)]
        return max([*reached, *([counted] if counted else [])], default=None)


def _reached(place: Place | None, mark: Place | None) -> bool:
    return place is None or (mark is not None and mark >= place)

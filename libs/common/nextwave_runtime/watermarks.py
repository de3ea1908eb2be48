"""How far everything has been taken in: each origin says it, a reader believes it once its own mark has come that far. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime

from nextwave_contracts.customers import Watermark
from nextwave_contracts.places import Origin, Place

PENDING_MAX = 64
"""Watermarks per origin that wait for their place; beyond it the oldest is dropped (a newer one says more)."""


class WatermarkTracker:
    """The reader's side, one for each of its partitions: the least instant up to which every expected origin has been taken in."""

    def __init__(self, expected: Iterable[Origin]) -> None:
        self._expected = tuple(expected)
        self._counted: dict[Origin, datetime] = {}
        self._pending: dict[Origin, deque[tuple[Place | None, datetime]]] = {origin: deque(maxlen=PENDING_MAX) for origin in self._expected}

    def heard(self, watermark: Watermark) -> None:
        """Keeps what an origin said; it does not count yet."""
        origin = Origin(watermark.processor, watermark.partition)
        if origin in self._pending:
            place = Place.parse(watermark.last_place) if watermark.last_place else None
            self._pending[origin].append((place, watermark.until))

    def low(self, marks: Mapping[Origin, Place]) -> datetime | None:
        """The watermark, given the marks reached; None while an origin has not been heard."""
        for origin, waiting in self._pending.items():
            while waiting and _reached(waiting[0][0], marks.get(origin)):
                _, until = waiting.popleft()
                self._counted[origin] = max(until, self._counted.get(origin, until))
        if len(self._counted) < len(self._expected):
            return None
        return min(self._counted.values(), default=None)


def _reached(place: Place | None, mark: Place | None) -> bool:
    return place is None or (mark is not None and mark >= place)

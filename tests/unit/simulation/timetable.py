"""When things happen in the ring: timer rows in due order, and how slowly and unreliably everything goes, by chance."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from nextwave_runtime.application import Timer

FIRST = datetime(1970, 1, 1, tzinfo=UTC)


class Timers:
    """A stage's timer rows: each (partition, due, key, kind) once, taken out in due order."""

    def __init__(self, *, gated: bool) -> None:
        self._gated = gated
        self._heaps: dict[tuple[int, str], list[tuple[datetime, str, str, int, Timer]]] = {}
        self._rows: set[tuple[int, datetime, str, str]] = set()

    def put(self, timer: Timer) -> None:
        """Sets a timer."""
        row = (timer.partition, timer.due_at, timer.key, timer.kind)
        if row not in self._rows:
            self._rows.add(row)
            gate = "clock" if timer.gate == "watermark" and not self._gated else timer.gate
            heapq.heappush(self._heaps.setdefault((timer.partition, gate), []), (*row[1:], len(self._rows), timer))

    def waits(self, partition: int, now: datetime) -> bool:
        """Whether a timer is due that only waits for the watermark."""
        heap = self._heaps.get((partition, "watermark"))
        return bool(heap) and heap[0][0] <= now  # type: ignore[index]  # mypy does not follow `bool`

    def due(self, partition: int, now: datetime, watermark: datetime | None) -> list[Timer]:
        """Takes the due ones out."""
        found = []
        for gate, until in (("clock", now), ("watermark", min(now, watermark or FIRST))):
            heap = self._heaps.get((partition, gate), [])
            while heap and heap[0][0] <= until:
                found.append(heapq.heappop(heap)[-1])
        self._rows -= {(t.partition, t.due_at, t.key, t.kind) for t in found}
        return sorted(found, key=lambda t: (t.due_at, t.key, t.kind))


@dataclass(slots=True)
class Weather:
    """How slowly and how unreliably everything goes, by chance."""

    chance: Random
    delay_seconds: float
    batch_max: int
    trouble: float
    """Probability of each mishap: a killed batch, a blob published twice or in part, a zombie's late repetition."""
    stalls: dict[tuple[str, str, int], list[tuple[datetime, datetime]]] = field(default_factory=dict)

    def wait(self, scale: float = 1.0) -> timedelta:
        """Some time, mostly short."""
        return timedelta(seconds=min(self.chance.expovariate(1.0) * self.delay_seconds * scale, 40_000.0) + 0.001)

    def mishap(self) -> bool:
        """Whether something goes wrong now."""
        return self.chance.random() < self.trouble

    def stalled_until(self, place: tuple[str, str, int], now: datetime) -> datetime | None:
        """The end of the stall that this worker is in."""
        return next((end for start, end in self.stalls.get(place, ()) if start <= now < end), None)

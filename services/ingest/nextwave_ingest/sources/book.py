"""What this replica heard of each source since it started."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nextwave_contracts.sources import ClockTally, DoorTally, ItemRefused, SourceTally

from nextwave_ingest import hidden, metrics
from nextwave_ingest.admission import Admitted, Refusal
from nextwave_ingest.sources.board import RECENT_MAX, DoorCounts
from nextwave_ingest.sources.distances import class_of

DETAIL_MAX = 300
AHEAD = timedelta(seconds=-1)
"""A time that is further in the future was said by a clock that is fast."""


@dataclass(slots=True)
class _Page:
    """One source. `told` is whether others know all of it."""

    doors: dict[str, DoorCounts] = field(default_factory=dict)
    distances: Counter[int] = field(default_factory=Counter)
    ahead: int = 0
    turned_away: int = 0
    refusals: deque[ItemRefused] = field(default_factory=lambda: deque(maxlen=RECENT_MAX))
    told: bool = False


class SourceBook:
    """One page per source; there are as many as there are keys."""

    def __init__(self) -> None:
        self._pages: defaultdict[str, _Page] = defaultdict(_Page)

    def note(self, source: str, door: str, verdicts: Sequence[Admitted | Refusal], at: datetime) -> None:
        """Counts what was committed of a request, and measures the clock by its first item."""
        page, refusals = self._pages[source], [verdict.error for verdict in verdicts if isinstance(verdict, Refusal)]
        counted = self._door(page, door, at)
        accepted = len(verdicts) - len(refusals)
        counted.accepted += accepted
        metrics.ITEMS.counts[source, "admitted"] += accepted
        first = verdicts[0]
        if isinstance(first, Admitted) and first.distance is not None:
            page.distances[class_of(first.distance.total_seconds())] += 1
            page.ahead += first.distance < AHEAD
        if refusals:
            metrics.ITEMS.counts[source, "refused"] += len(refusals)
            counted.rejected.update(error.reason for error in refusals)
            page.refusals.extend(
                ItemRefused(at=at, door=door, reason=e.reason, pointer=hidden.pointer(e.pointer), detail=hidden.words(e.detail, DETAIL_MAX))
                for e in refusals[-RECENT_MAX:]
            )

    def ignored(self, source: str, door: str, items: int, at: datetime) -> None:
        """Counts items for which a mapping has no rule."""
        self._door(self._pages[source], door, at).ignored += items
        metrics.ITEMS.counts[source, "ignored"] += items

    def turned_away(self, source: str) -> None:
        """Counts a request beyond the source's rate, without its key or signature, or from a page that may not use its key."""
        page = self._pages[source]
        page.turned_away += 1
        page.told = False

    def untold(self, *, everything: bool) -> Iterator[str]:
        """The sources of which others do not know all, or all sources; from now on they count as told."""
        for source, page in self._pages.items():
            if everything or not page.told:
                page.told = True
                yield source

    def not_told(self, source: str) -> None:
        """It could not be told."""
        self._pages[source].told = False

    def tally(self, source: str, *, replica: str, since: datetime, at: datetime) -> SourceTally:
        """All of a source, for others."""
        page = self._pages[source]
        doors = {
            name: DoorTally(last_seen_at=d.last_seen_at, accepted=d.accepted, ignored=d.ignored, rejected=dict(d.rejected))
            for name, d in page.doors.items()
        }
        return SourceTally(
            replica=replica,
            source=source,
            since=since,
            at=at,
            doors=doors,
            clock=ClockTally(distances=dict(page.distances), ahead=page.ahead),
            turned_away=page.turned_away,
            refusals=tuple(page.refusals),
        )

    @staticmethod
    def _door(page: _Page, name: str, at: datetime) -> DoorCounts:
        page.told = False
        door = page.doors.get(name)
        if door is None:
            door = page.doors[name] = DoorCounts(at)
        door.last_seen_at = at
        return door

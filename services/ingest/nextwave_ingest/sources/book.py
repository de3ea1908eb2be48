"""What this replica heard of each source since it started."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

import structlog
from nextwave_contracts.sources import ClockTally, DoorTally, ItemRefused, Noted, SourceTally
from nextwave_runtime.problem import Problem

from nextwave_ingest import hidden, metrics
from nextwave_ingest.admission import POINTER_MAX, Admitted, Ignored, Refusal
from nextwave_ingest.sources.board import DoorCounts
from nextwave_ingest.sources.distances import class_of
from nextwave_ingest.sources.notes import RECENT_MAX, Notes

DETAIL_MAX = 300
AHEAD = timedelta(seconds=-1)
"""A time that is further in the future was said by a clock that is fast."""
LOG_SECONDS = 60.0
"""Between two lines of the log that say the same of a source."""
_log = structlog.get_logger()


@dataclass(slots=True)
class _Page:
    """One source. `told` is whether others know all of it."""

    doors: dict[str, DoorCounts] = field(default_factory=dict)
    distances: Counter[int] = field(default_factory=Counter)
    ahead: int = 0
    turned_away_for: Counter[str] = field(default_factory=Counter)
    turned_away_last: Notes = field(default_factory=Notes)
    ignored_last: Notes = field(default_factory=Notes)
    warned_last: Notes = field(default_factory=Notes)
    logged: dict[str, float] = field(default_factory=dict)
    """When the log last said so of each kind of problem."""
    refusals: deque[ItemRefused] = field(default_factory=lambda: deque(maxlen=RECENT_MAX))
    told: bool = False


class SourceBook:
    """One page per source; there are as many as there are keys."""

    def __init__(self, steady: Callable[[], float] = monotonic) -> None:
        self._steady = steady
        self._pages: defaultdict[str, _Page] = defaultdict(_Page)

    def note(self, source: str, door: str, verdicts: Sequence[Admitted | Refusal], at: datetime) -> None:
        """Counts what was committed of a request, and measures the clock by its first item."""
        page, refusals = self._pages[source], [verdict.error for verdict in verdicts if isinstance(verdict, Refusal)]
        counted = self._door(page, door, at)
        accepted = len(verdicts) - len(refusals)
        counted.accepted += accepted
        metrics.ITEMS.counts[source, "admitted"] += accepted
        doubts = Counter(doubt for verdict in verdicts if isinstance(verdict, Admitted) and verdict.doubts for doubt in verdict.doubts[:1])
        counted.warned += doubts.total()
        for (pointer, detail), times in doubts.items():
            shown = hidden.pointer(pointer[:POINTER_MAX]), hidden.words(detail, DETAIL_MAX)
            page.warned_last.add(Noted(at=at, door=door, pointer=shown[0], detail=shown[1], times=times))
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

    def ignored(self, source: str, door: str, items: Sequence[Ignored], at: datetime) -> None:
        """Counts items of which nothing is to be reported, by why."""
        page = self._pages[source]
        counted = self._door(page, door, at)
        counted.ignored += len(items)
        metrics.ITEMS.counts[source, "ignored"] += len(items)
        for one, times in Counter(items).items():
            counted.ignored_for[one.reason] += times
            pointer = hidden.pointer(one.pointer[:POINTER_MAX])
            page.ignored_last.add(Noted(at=at, door=door, reason=one.reason, pointer=pointer, detail=one.detail[:DETAIL_MAX], times=times))

    def turned_away(self, source: str, door: str, problem: Problem, at: datetime) -> None:
        """Counts a request of which nothing was taken, by the problem that it is answered with; the log says so once a minute."""
        page, kind, detail = self._pages[source], problem.kind, hidden.words(problem.detail, DETAIL_MAX)
        page.turned_away_for[kind] += 1
        page.turned_away_last.add(Noted(at=at, door=door, reason=kind, detail=detail))
        page.told = False
        now = self._steady()
        if now - page.logged.get(kind, -LOG_SECONDS) >= LOG_SECONDS:
            page.logged[kind] = now
            _log.warning("turned_away", source=source, door=door, reason=kind, times=page.turned_away_for[kind], detail=detail)

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
            name: DoorTally(
                last_seen_at=d.last_seen_at,
                accepted=d.accepted,
                ignored=d.ignored,
                ignored_for=dict(d.ignored_for),
                rejected=dict(d.rejected),
                warned=d.warned,
            )
            for name, d in page.doors.items()
        }
        return SourceTally(
            replica=replica,
            source=source,
            since=since,
            at=at,
            doors=doors,
            clock=ClockTally(distances=dict(page.distances), ahead=page.ahead),
            turned_away=page.turned_away_for.total(),
            turned_away_for=dict(page.turned_away_for),
            turned_away_last=page.turned_away_last.all(),
            ignored_last=page.ignored_last.all(),
            warned_last=page.warned_last.all(),
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

"""What each source sent since this replica started, and why its last refused items were refused, so that its owner can mend them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from nextwave_ingest import metrics
from nextwave_ingest.admission import Admitted, Refusal

RECENT_MAX = 20


@dataclass(frozen=True, slots=True)
class RecentRefusal:
    """One refused item: when, at which door, and what to mend."""

    at: datetime
    door: str
    reason: str
    pointer: str
    detail: str


@dataclass(slots=True)
class Tally:
    """Counts of one source on this replica."""

    admitted: int = 0
    refused: int = 0
    last_at: datetime | None = None
    recent: deque[RecentRefusal] = field(default_factory=lambda: deque(maxlen=RECENT_MAX))


class SourceBook:
    """One tally per write key's source; there are as many as there are keys."""

    def __init__(self) -> None:
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)

    def note(self, source: str, door: str, verdicts: Sequence[Admitted | Refusal], at: datetime) -> None:
        """Counts what was committed."""
        tally = self._tallies[source]
        refusals = [verdict.error for verdict in verdicts if isinstance(verdict, Refusal)]
        admitted = len(verdicts) - len(refusals)
        tally.admitted += admitted
        tally.refused += len(refusals)
        tally.last_at = at
        metrics.items(source, "admitted").inc(admitted)
        if refusals:
            metrics.items(source, "refused").inc(len(refusals))
            tally.recent.extend(RecentRefusal(at, door, e.reason, e.pointer, e.detail) for e in refusals[-RECENT_MAX:])

    def of(self, sources: Iterable[str]) -> dict[str, Tally]:
        """The tallies of these sources; one that sent nothing has zeros."""
        return {source: self._tallies.get(source, Tally()) for source in sources}

"""What a provider answered in the last minutes, by kind, and what it last got wrong. Times are Unix seconds, given."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from nextwave_contracts.masking import in_words

from nextwave_channels.answers import Accepted, Answer, Refused

MINUTES = 5
Kind = Literal["accepted", "refused", "put_off", "down", "uncertain"]
WRONG: frozenset[Kind] = frozenset({"put_off", "down", "uncertain"})


def kind_of(answer: Answer) -> Kind:
    """Refused for good, put off (not now, but well), down (not reached, or away), or uncertain; or accepted."""
    match answer:
        case Accepted():
            return "accepted"
        case Refused(permanent=True):
            return "refused"
        case Refused(down=down):
            return "down" if down else "put_off"
        case _:
            return "uncertain"


@dataclass(slots=True)
class Tally:
    """Counts by minute and kind; `error` is the last thing that went wrong, without addresses, `error_at` when."""

    counts: Counter[tuple[int, Kind]] = field(default_factory=Counter)
    error: str = ""
    error_at: float | None = None

    def add(self, answer: Answer, now: float) -> Kind:
        """Counts an answer; its kind."""
        minute, kind = int(now // 60), kind_of(answer)
        for old in [key for key in self.counts if key[0] <= minute - MINUTES]:
            del self.counts[old]
        self.counts[minute, kind] += 1
        if kind in WRONG and not isinstance(answer, Accepted):
            self.error, self.error_at = in_words(answer.detail), now
        return kind

    def recent(self, now: float) -> dict[Kind, int]:
        """How many of each kind in the last `MINUTES` minutes (this one included)."""
        told: Counter[Kind] = Counter()
        for (minute, kind), count in self.counts.items():
            if minute > int(now // 60) - MINUTES:
                told[kind] += count
        return dict(told)

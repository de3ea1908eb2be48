"""Forward-decayed counts: a late event just adds, whatever came before it, and reading is one division.

Each count is kept as the sum of v * e^((t - L) / span) at a landmark L, the newest day seen (Cormode et al., "Forward decay", 2009).
"""

from __future__ import annotations

from math import exp

from nextwave_scoring.instants import DAY

SPANS_DAYS: tuple[float, float, float] = (7.0, 30.0, 90.0)
"""Mean ages after which an event weighs 1/e."""

Counts = dict[str, list[float]]
"""By subject or signal: one value per span, as of the landmark."""


def advance(counts: Counts, landmark: int, day: int) -> int:
    """Moves the landmark (a day number) on to `day` when that is newer; returns the landmark in force."""
    if day <= landmark:
        return landmark
    if counts:
        factors = [exp((landmark - day) / span) for span in SPANS_DAYS]
        for values in counts.values():
            for i, factor in enumerate(factors):
                values[i] *= factor
    return day


def weights(landmark: int, at: int) -> tuple[float, float, float]:
    """What one event at `at` (microseconds) weighs at the landmark, per span."""
    age = at / DAY - landmark
    return exp(age / 7.0), exp(age / 30.0), exp(age / 90.0)


def add(counts: Counts, key: str, weight: tuple[float, float, float], amount: float = 1.0) -> None:
    """Adds an event."""
    values = counts.get(key)
    if values is None:
        counts[key] = [w * amount for w in weight]
    else:
        values[0] += weight[0] * amount
        values[1] += weight[1] * amount
        values[2] += weight[2] * amount


def fading(landmark: int, *, span: int, at: int) -> float:
    """What a count at the landmark is multiplied with to be read as of `at` (microseconds)."""
    return exp((landmark - at / DAY) / SPANS_DAYS[span])


def read(counts: Counts, landmark: int, key: str, *, span: int, at: int) -> float:
    """The decayed count as of `at` (microseconds). `span` is an index of `SPANS_DAYS`."""
    values = counts.get(key)
    return values[span] * fading(landmark, span=span, at=at) if values else 0.0


def merge(a: Counts, a_landmark: int, b: Counts, b_landmark: int) -> tuple[Counts, int]:
    """Both together, at the newer landmark."""
    landmark = max(a_landmark, b_landmark)
    merged: Counts = {}
    for counts, own in ((a, a_landmark), (b, b_landmark)):
        factors = [exp((own - landmark) / span) for span in SPANS_DAYS]
        for key, values in counts.items():
            sums = merged.setdefault(key, [0.0, 0.0, 0.0])
            for i, factor in enumerate(factors):
                sums[i] += values[i] * factor
    return merged, landmark

"""Forward-decayed counts in integers: a late event just adds, in any order the sums are equal to the last bit, reading is one division.

An event at t adds 2^(t / h) for a half-life h (Cormode et al., "Forward decay", 2009), as an integer relative to its block of
16 half-lives. The newest two blocks are kept, each a sum of its own: what falls out of them weighs less than 2^-16 and falls out whole,
whether it was read before or after the event that moved the blocks on.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import log

from nextwave_scoring.instants import DAY

SPANS_DAYS: tuple[float, float, float] = (7.0, 30.0, 90.0)
"""Mean ages after which an event weighs 1/e."""
_HALVES: tuple[int, ...] = tuple(round(span * DAY * log(2)) for span in SPANS_DAYS)
"""Half-lives of the spans, microseconds."""
_SHIFT = 4
_BLOCK = 1 << _SHIFT
"""Half-lives of a block."""
_BITS = 14
_ONE = 1 << _BITS
"""An event at the beginning of a half-life; the fraction of one is rounded to 14 bits (0.003 %)."""
_MINUTE = 60_000_000
"""An event counts from the beginning of its minute."""
_KEPT = 6

Counts = dict[str, list[int]]
"""By subject, kind or signal: one sum per span for the newest block, then one per span for the block before."""
Weight = tuple[int, int, int, int, int, int]
"""For each span: where an event is added, and what."""


def advance(kept: Iterable[Counts], landmark: int, day: int) -> int:
    """Moves the landmark (the newest day seen, a day number) on to `day` when that is newer; returns the landmark in force."""
    if day <= landmark:
        return landmark
    newest, before = _blocks(day), _blocks(landmark)
    if newest != before:
        ages = tuple(new - old for new, old in zip(newest, before, strict=True))
        for counts in kept:
            _age(counts, ages)
    return day


def weights(landmark: int, at: int) -> Weight:
    """What one event at `at` (microseconds, not after the landmark's day) adds."""
    return _weights(landmark, at // _MINUTE)


def add(counts: Counts, key: str, weight: Weight, amount: int = 1) -> None:
    """Adds an event that counts `amount` times."""
    values = counts.get(key)
    if values is None:
        values = counts[key] = [0] * _KEPT
    a, x, b, y, c, z = weight
    values[a] += x * amount
    values[b] += y * amount
    values[c] += z * amount


def read(counts: Counts, landmark: int, key: str, *, span: int, at: int) -> float:
    """The decayed count as of `at` (microseconds). `span` is an index of `SPANS_DAYS`."""
    values = counts.get(key)
    return faded(values, span) * fading(landmark, span=span, at=at) if values else 0.0


def faded(values: list[int], span: int) -> float:
    """A count before it is multiplied by `fading`; for many counts that are read at once."""
    return values[span] + values[span + 3] / (1 << _BLOCK)


def fading(landmark: int, *, span: int, at: int) -> float:
    """What a `faded` count is multiplied with to be read as of `at` (microseconds)."""
    factor: float = 2.0 ** (_blocks(landmark)[span] * _BLOCK - at / _HALVES[span] - _BITS)
    return factor


def merge(a: Counts, a_landmark: int, b: Counts, b_landmark: int) -> tuple[Counts, int]:
    """Both together, at the newer landmark."""
    landmark = max(a_landmark, b_landmark)
    merged: Counts = {}
    for counts, own in ((a, a_landmark), (b, b_landmark)):
        copied = {key: list(values) for key, values in counts.items()}
        advance([copied], own, landmark)
        for key, values in copied.items():
            known = merged.get(key)
            merged[key] = values if known is None else [x + y for x, y in zip(known, values, strict=True)]
    return merged, landmark


def of_floats(counts: dict[str, list[float]], landmark: int) -> Counts:
    """Counts of the build that kept sums of v * e^((t - L) / span) at the beginning of the landmark's day L."""
    moved: Counts = {}
    weight = _weights(landmark, landmark * DAY // _MINUTE)
    for key, values in counts.items():
        sums = moved[key] = [0] * _KEPT
        for value, place, one in zip(values, weight[::2], weight[1::2], strict=True):
            sums[place] += round(value * one)
    return moved


def _age(counts: Counts, ages: tuple[int, ...]) -> None:
    """Moves sums of the newest block to the place of the one before, or out."""
    for values in counts.values():
        for span, age in enumerate(ages):
            if age:
                values[span + 3] = values[span] if age == 1 else 0
                values[span] = 0


@lru_cache(maxsize=4096)
def _blocks(landmark: int) -> tuple[int, ...]:
    """The number of the block in which the landmark's day ends, per span."""
    end = (landmark + 1) * DAY - 1
    return tuple(end // half >> _SHIFT for half in _HALVES)


@lru_cache(maxsize=8192)
def _weights(landmark: int, minute: int) -> Weight:
    """Customers are mostly seen now: one computation serves all who are seen in a minute."""
    found: list[int] = []
    for span, (half, newest) in enumerate(zip(_HALVES, _blocks(landmark), strict=True)):
        number, rest = divmod(minute * _MINUTE, half)
        age = newest - (number >> _SHIFT)
        one = round(2.0 ** (rest / half) * _ONE) << (number & (_BLOCK - 1))
        found += (span + 3 * min(age, 1), one if age <= 1 else 0)
    a, x, b, y, c, z = found
    return a, x, b, y, c, z

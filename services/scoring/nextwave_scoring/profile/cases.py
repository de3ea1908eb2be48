"""Complaints and service requests as sums: how many were opened and closed, and how long it took, however late any of it was reported."""

from __future__ import annotations

from nextwave_scoring.profile import matters
from nextwave_scoring.profile.record import Profile

_SECOND = 1_000_000
_OPENED, _CLOSED, _CLOSED_BY_REFERENCE, _OPENINGS, _CLOSINGS = range(5)


def opened(profile: Profile, kind: str, reference: str, at: int) -> None:
    """A matter was opened; `kind` as in `matters`."""
    sums = profile.cases.setdefault(kind, [0, 0, 0, 0, 0])
    sums[_OPENED] += 1
    if reference:
        sums[_OPENINGS] += at // _SECOND


def closed(profile: Profile, kind: str, reference: str, at: int) -> None:
    """A matter was closed."""
    sums = profile.cases.setdefault(kind, [0, 0, 0, 0, 0])
    sums[_CLOSED] += 1
    if reference:
        sums[_CLOSED_BY_REFERENCE] += 1
        sums[_CLOSINGS] += at // _SECOND


def merge(a: dict[str, list[int]], b: dict[str, list[int]]) -> dict[str, list[int]]:
    """The sums of both."""
    none = [0, 0, 0, 0, 0]
    return {kind: [x + y for x, y in zip(a.get(kind, none), b.get(kind, none), strict=True)] for kind in {**a, **b}}


def counted(profile: Profile, kind: str) -> tuple[int, int, int]:
    """Open now, closed so far, and the mean seconds from opening to closing (0 while none was closed).

    The times of all closings less those of the openings that they close: all openings less those of what is still open. That is exact
    where every opening with a reference is closed once; what closes without one is not in the mean. What is open beyond the bounds of
    `matters` counts as one, and the mean is too small then, or 0.
    """
    sums = profile.cases.get(kind)
    if sums is None:
        return matters.count_open(profile.matters, kind), 0, 0
    waiting = matters.open_of(profile.matters, kind)
    open_since = sum(matter.opened_at // _SECOND for reference, matter in waiting if reference)
    taken = sums[_CLOSINGS] - (sums[_OPENINGS] - open_since)
    return len(waiting), sums[_CLOSED], max(taken // sums[_CLOSED_BY_REFERENCE], 0) if sums[_CLOSED_BY_REFERENCE] else 0

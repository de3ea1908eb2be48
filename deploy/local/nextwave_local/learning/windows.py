"""Time-split: what was known at a cut, and who came back after it. Nothing that happened later is ever looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nextwave_scoring.instants import DAY
from nextwave_scoring.profile.record import Profile

from nextwave_local.learning.history import History, InputError, came_back, profiles

PARTS = 6
CUTS = (2, 3, 4, 5)
"""Inside the learning window it is cut after these sixths of it, and each time judged by what came next, inside the window."""
CUSTOMERS_MIN = 100
"""Fewer customers on one side of a cut say nothing."""
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cut:
    """Customers known at an instant: `left[i]` says whether customer i did not come back in `horizon_days`. Instants in microseconds."""

    at: int
    horizon_days: float
    customers: tuple[str, ...]
    profiles: tuple[Profile, ...]
    left: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The learning window with cuts inside it, and the check at its end, which is looked at once."""

    start: int
    check_at: int
    learning: tuple[Cut, ...]
    check: Cut


def split(histories: Sequence[History], horizon_days: int, end: int, progress: Progress) -> Split:
    """The check begins `horizon_days` before `end`, all before it is the learning window. Raises `InputError`."""
    check_at = end - horizon_days * DAY
    begins = [history.returns[0] for history in histories if history.returns]
    if not begins:
        raise InputError(
            "no touchpoint ends a silence (visits, orders, calls ...): there is nothing to learn from; look at the column type"
        )
    start = min(begins) // DAY * DAY
    if check_at <= start:
        days = (end - start) // DAY
        raise InputError(f"the learning window is empty: the history has {days} days; choose --horizon below {max(days // 2, 1)}")
    learning = []
    for part in CUTS:
        at = start + (check_at - start) * part // PARTS
        progress(f"looking back from day {(at - start) // DAY} of {(check_at - start) // DAY}")
        learning.append(_cut(histories, at, min(at + horizon_days * DAY, check_at)))
    progress("looking back from the end of the learning window")
    check = _cut(histories, check_at, end)
    _refuse_onesided(check)
    known = [left for cut in comparable(learning, horizon_days) for left in cut.left]
    if len(set(known)) < 2:
        raise InputError(
            f"the learning window tells nothing: of {len(known)} customers known in it {sum(known)} did not come back, and some of both"
            " kinds are needed: choose another --horizon or give a longer history"
        )
    return Split(start, check_at, tuple(learning), check)


def comparable(cuts: Sequence[Cut], horizon_days: int) -> list[Cut]:
    """The cuts that look ahead as far as the model will; all where there is none."""
    return [cut for cut in cuts if cut.horizon_days == horizon_days] or list(cuts)


def _cut(histories: Sequence[History], at: int, until: int) -> Cut:
    known = [(history, profile) for history in histories for profile in profiles(history, [at]) if profile is not None]
    return Cut(
        at,
        (until - at) / DAY,
        tuple(history.customer for history, _ in known),
        tuple(profile for _, profile in known),
        tuple(not came_back(history, at, until) for history, _ in known),
    )


def _refuse_onesided(cut: Cut) -> None:
    left = sum(cut.left)
    if len(cut.left) < CUSTOMERS_MIN or not left or left == len(cut.left):
        raise InputError(
            f"the checking window tells nothing: of {len(cut.left)} customers known before it {left} did not come back in it;"
            f" at least {CUSTOMERS_MIN} customers and some of both kinds are needed: choose another --horizon or give a longer history"
        )

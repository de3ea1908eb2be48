"""A customer's history as touchpoints, and the profile that it had made at any instant, by the service's own fold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.instants import micros
from nextwave_scoring.profile import touch
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.subjects import NOT_RHYTHM


class InputError(ValueError):
    """What was given cannot be learned from; the message names the field and what to do."""


@dataclass(frozen=True, slots=True)
class History:
    """One customer's touchpoints, oldest first, each once."""

    customer: str
    touchpoints: tuple[Touchpoint, ...]
    instants: tuple[int, ...]
    """When each happened (microseconds)."""
    returns: tuple[int, ...]
    """When the customer came by themselves: the touchpoints that end a silence (microseconds)."""


def history_of(customer: str, touchpoints: Iterable[Touchpoint]) -> History:
    """Sorts them; what has the same source and id is the same touchpoint."""
    once = {(touchpoint.source, touchpoint.id): touchpoint for touchpoint in touchpoints}
    ordered = sorted(once.values(), key=lambda touchpoint: (happened(touchpoint), touchpoint.source, touchpoint.id))
    returns = tuple(happened(touchpoint) for touchpoint in ordered if touchpoint.type not in NOT_RHYTHM)
    return History(customer, tuple(ordered), tuple(happened(touchpoint) for touchpoint in ordered), returns)


def happened(touchpoint: Touchpoint) -> int:
    """As the fold reads it (microseconds): what claims to be ahead counts for when it came."""
    return micros(min(touchpoint.occurred_at, touchpoint.received_at))


def profiles(history: History, cuts: Sequence[int]) -> list[Profile | None]:
    """The profile as of each cut (microseconds), None before the first return."""
    return [_profile(history, cut) for cut in cuts]


def _profile(history: History, cut: int) -> Profile | None:
    if not history.returns or history.returns[0] >= cut:
        return None
    profile = Profile()
    for touchpoint, at in zip(history.touchpoints, history.instants, strict=True):
        if at >= cut:
            break
        touch.take(profile, touchpoint)
    return profile


def came_back(history: History, start: int, end: int) -> bool:
    """Whether the customer came in `start` (included) to `end` (excluded), microseconds."""
    return any(start <= at < end for at in history.returns)

"""An arbiter as product.md section 6 reads, slow and by itself: every hour and every window is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
OWED = ("service", "recovery", "transactional")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` in any `hours`; empty fields count over all."""

    most: int
    hours: int
    channel: str = ""
    campaign: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A contact that is made, or that somebody wants, at an hour."""

    name: str
    campaign: str
    channel: str
    purpose: str
    at: datetime
    worth: float = 0.0
    priority: int = 100


def is_meant(limit: Limit, one: Wanted) -> bool:
    """Whether it counts for the limit."""
    pairs = ((limit.channel, one.channel), (limit.campaign, one.campaign), (limit.purpose, one.purpose))
    return all(mine in ("", theirs) for mine, theirs in pairs)


def fits(limits: Sequence[Limit], beside: Sequence[Wanted], one: Wanted) -> bool:
    """Whether no window of any length of a limit, wherever it begins, holds more than it may with `one` in it."""
    for limit in (limit for limit in limits if is_meant(limit, one)):
        counted = [other.at for other in beside if is_meant(limit, other)] + [one.at]
        for hours in range(limit.hours):
            start = one.at - hours * HOUR
            if sum(start <= at < start + limit.hours * HOUR for at in counted) > limit.most:
                return False
    return True


def before(one: Wanted, other: Wanted) -> bool:
    """Whether `one` goes first."""
    if (one.purpose in OWED) != (other.purpose in OWED):
        return one.purpose in OWED
    if one.worth != other.worth:
        return one.worth > other.worth
    return (one.priority, one.campaign, one.name) < (other.priority, other.campaign, other.name)


def winners(limits: Sequence[Limit], made: Sequence[Wanted], wanted: Sequence[Wanted]) -> list[Wanted]:
    """Again and again the first of those that are left takes its place, if there is one."""
    left, won = list(wanted), list[Wanted]()
    while left:
        best = next(one for one in left if not any(before(other, one) for other in left))
        left.remove(best)
        if fits(limits, (*made, *won), best):
            won.append(best)
    return won


def first_hour(limits: Sequence[Limit], beside: Sequence[Wanted], one: Wanted) -> datetime:
    """The first hour from its own on at which it fits."""
    at = one.at
    while not fits(limits, beside, Wanted(one.name, one.campaign, one.channel, one.purpose, at)):
        at += HOUR
    return at

"""The relationship score: how good the relationship is, from rated indicators with weights that the user sets, and which is weakest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from nextwave_scoring.instants import DAY
from nextwave_scoring.profile import decay, matters
from nextwave_scoring.profile.decay import Counts
from nextwave_scoring.profile.record import Matter

Indicator = Literal["satisfaction", "complaints_solved", "response", "tenure", "breadth"]
INDICATORS: Mapping[Indicator, str] = {
    "satisfaction": "mean rating, recent ones weighing more: 1 of 5 is 0, 5 of 5 is 1",
    "complaints_solved": "share of the complaints that are closed, the last one to satisfaction",
    "response": "share of our contacts that reached the customer, recent ones weighing more",
    "tenure": "time from the first order or contract to the last, `tenure_full_days` and more being 1",
    "breadth": "categories bought from, `breadth_full` (or the whole range, where it is smaller) and more being 1",
}
"""Each from 0 (bad) to 1 (good); left out where nothing is known."""
SENT_MIN = 0.5
"""Fewer contacts (decayed over 90 days, as of the last day seen) say nothing about response."""
_QUARTER = 2
"""Index of the 90-day span of decayed counts."""


class Scored(Protocol):
    """The part of a profile that is read here."""

    counts: Counts
    landmark: int
    matters: dict[str, Matter]
    soothed_at: int
    soured_at: int

    @property
    def categories(self) -> Mapping[str, list[int]]: ...


Weight = Annotated[float, Meta(ge=0.0, le=1_000.0)]


@dataclass(frozen=True, slots=True)
class Scale:
    """What the user set: weights (0 leaves an indicator out) and where an indicator is full."""

    satisfaction: Weight = 0.3
    complaints_solved: Weight = 0.2
    response: Weight = 0.2
    tenure: Weight = 0.15
    breadth: Weight = 0.15
    tenure_full_days: Annotated[int, Meta(ge=1, le=36_500)] = 1095
    breadth_full: Annotated[int, Meta(ge=1, le=1_000)] = 5


class Rated(msgspec.Struct, frozen=True, kw_only=True):
    """One indicator: its value (0..1), its share of the weights of all known indicators, and what it adds to the score."""

    indicator: Indicator
    value: float
    weight: float
    contribution: float


class Relationship(msgspec.Struct, frozen=True, kw_only=True):
    """The score (0..1) is the sum of the contributions; None, as the weakest indicator, where nothing is known."""

    score: float | None = None
    weakest: Indicator | None = None
    indicators: tuple[Rated, ...] = ()


def indicators(profile: Scored, rating: float | None, tenure_days: int, range_size: int, scale: Scale) -> dict[Indicator, float]:
    """The known indicators, 0..1, from the profile, its mean rating (1..5) and its tenure.

    `range_size` is the number of categories on offer, 0 where it was not told.
    """
    rated: dict[Indicator, float | None] = {
        "satisfaction": None if rating is None else min(max((rating - 1.0) / 4.0, 0.0), 1.0),
        "complaints_solved": _complaints_solved(profile),
        "response": _response(profile),
        "tenure": min(tenure_days / scale.tenure_full_days, 1.0) if tenure_days else None,
        "breadth": _breadth(len(profile.categories), min(scale.breadth_full, range_size or scale.breadth_full)),
    }
    return {name: value for name, value in rated.items() if value is not None}


def relationship(known: Mapping[Indicator, float], scale: Scale) -> Relationship:
    """The weighted mean of what is known. The weakest is the lowest; of equals the heavier, then the first of `INDICATORS`."""
    weights = {name: weight for name in INDICATORS if name in known and (weight := getattr(scale, name)) > 0.0} if known else {}
    if not weights:
        return Relationship()
    whole = sum(weights.values())
    rated = [
        Rated(indicator=name, value=known[name], weight=weight / whole, contribution=known[name] * weight / whole)
        for name, weight in weights.items()
    ]
    weakest = min(rated, key=_weakness) if len(rated) > 1 else rated[0]
    return Relationship(score=sum([r.contribution for r in rated]), weakest=weakest.indicator, indicators=tuple(rated))


def _weakness(rated: Rated) -> tuple[float, float]:
    return rated.value, -rated.weight


def _complaints_solved(profile: Scored) -> float | None:
    if not profile.matters:
        return None
    made = sum([key.startswith(matters.COMPLAINT) and bool(matter.opened_at) for key, matter in profile.matters.items()])
    if not made:
        return None
    unsolved = matters.count_open(profile.matters, matters.COMPLAINT)
    soured = bool(profile.soured_at) and profile.soured_at >= profile.soothed_at
    return max(made - unsolved - soured, 0) / made


def _response(profile: Scored) -> float | None:
    """Sent and reached fade alike, so their ratio needs no instant."""
    sent = reached = 0.0
    for key, values in profile.counts.items():
        step = key.partition(".")[0] if "." in key else ""
        if step == "sent":
            sent += decay.faded(values, _QUARTER)
        elif step == "reached":
            reached += decay.faded(values, _QUARTER)
    return min(reached / sent, 1.0) if sent and sent >= _least(profile.landmark) else None


@lru_cache(maxsize=4096)
def _least(landmark: int) -> float:
    """`SENT_MIN` as a sum that has not faded yet is compared with."""
    return SENT_MIN / decay.fading(landmark, span=_QUARTER, at=landmark * DAY)


def _breadth(categories: int, full: int) -> float | None:
    return min(categories / full, 1.0) if categories else None

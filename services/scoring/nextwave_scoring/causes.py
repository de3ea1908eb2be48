"""Why a customer leaves: what each touchpoint says of it, the likeliest cause with its evidence, and whether a period's loss is normal.

The profile keeps, by kind of evidence, how often it was heard and when last; everything else is told from that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import exp
from typing import Any, Literal, Protocol, get_args

import msgspec
from nextwave_contracts.customers import Cause

from nextwave_scoring.instants import DAY, instant
from nextwave_scoring.reasons_given import kinds_of_codes, kinds_of_words

CAUSES: tuple[Cause, ...] = get_args(Cause)
NORMAL: frozenset[Cause] = frozenset({"dropped_by_us", "forced", "poached"})
"""Causes of a loss that every business has."""

WEIGHTS: Mapping[str, float] = {
    "dropped_by_us/cancelled": 20.0,  # a fact, not an opinion
    "forced/deceased": 20.0,
    "forced/moved": 4.0,
    "forced/economic": 4.0,
    "poached/other_offer": 4.0,
    "poached/price": 3.0,
    "poached/competitor": 2.0,
    "attracted/feature": 3.0,
    "attracted/quality": 3.0,
    "dissatisfied/unsolved": 4.0,
    "dissatisfied/complaint": 2.0,
    "dissatisfied/unhappy": 3.0,
    "dissatisfied/rating": 2.0,
    "dissatisfied/product": 1.0,
    "dissatisfied/service_trouble": 0.5,  # asking for service is no reproach; asking again and again is
}
"""What one piece of evidence weighs when it is fresh. Expert judgement: stated reasons above behaviour, facts above both."""
REPEATS_MAX = 4
"""The same kind said more often weighs no more."""
FADE_DAYS = 180.0
"""After so many days evidence weighs 1/e."""
WEIGHT_MIN = 0.6
"""Less evidence than this in all says nothing: a single request for service, or a complaint of more than seven months ago."""

_COMPLAINING = {"complaint.opened": "dissatisfied/complaint", "service.requested": "dissatisfied/service_trouble"}
_TELLING = frozenset(
    {
        "call.wrapped_up", "complaint.opened", "complaint.resolved", "contract.cancelled", "order.cancelled", "order.returned",
        "satisfaction.rated", "service.requested", "preference.changed", "customer.identified", "offer.declined",
    }
)  # fmt: skip
"""Types whose data may tell a reason; the words of others (a chat, a mail) are about anything."""
_TRAITS = frozenset({"preference.changed", "customer.identified"})
_OURS = "dropped_by_us/cancelled"
_BY_US = frozenset({"company", "us", "provider", "business"})
RATING_LOW = 2.0
"""Ratings (1..5) up to this are low."""


class Hinted(Protocol):
    """The part of a profile that is read here: by kind of evidence, how often it came and when last (microseconds)."""

    @property
    def hints(self) -> Mapping[str, list[int]]: ...


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard of one kind: `cause/kind`, how often, when last, and what it weighs now."""

    kind: str
    count: int
    newest_at: datetime
    weight: float


class Likeliest(msgspec.Struct, frozen=True, kw_only=True):
    """The likeliest cause, its share (0..1) of the weight of all evidence, and all evidence, heaviest first."""

    cause: Cause = "unknown"
    share: float = 0.0
    evidence: tuple[Evidence, ...] = ()


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """A period's lost customers by cause."""

    judged: Literal["none", "normal", "severe"]
    """Normal when every cause is one of `NORMAL`; severe as soon as one is not; none when nobody was lost."""
    normal: int
    severe: int
    severe_share: float
    """Of all lost, 0..1; 0 when nobody was lost."""
    causes: dict[Cause, int]


def evidence(touchpoint_type: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of evidence (`cause/kind`, sorted) that a touchpoint gives, mostly none. Words count only where no code says anything."""
    if touchpoint_type not in _TELLING:
        return ()
    if touchpoint_type in _TRAITS:
        return ("forced/deceased",) if data.get("deceased") is True else ()
    kinds = _coded(touchpoint_type, data) | _of_a_rival(data)
    kinds = kinds or kinds_of_words(data)
    return tuple(sorted(kinds | _displeasure(touchpoint_type, data)))


def likeliest(profile: Hinted, at: int) -> Likeliest:
    """Why the customer leaves, if they do, as of `at` (microseconds); of two as likely the first of `CAUSES`."""
    if not profile.hints:
        return Likeliest()
    heard = [_weighed(kind, count, newest, at) for kind, (count, newest) in profile.hints.items() if kind in WEIGHTS]
    heard.sort(key=_heaviest)
    weights: dict[str, float] = {}
    for told in heard:
        of = told.kind.partition("/")[0]
        weights[of] = weights.get(of, 0.0) + told.weight
    whole = sum(weights.values())
    if whole < WEIGHT_MIN:
        return Likeliest(evidence=tuple(heard))
    cause = max(CAUSES, key=lambda c: weights.get(c, 0.0))
    return Likeliest(cause=cause, share=weights[cause] / whole, evidence=tuple(heard))


def judge_loss(lost: Mapping[Cause, int]) -> Loss:
    """Whether the loss of a period is normal, from the customers lost in it by cause. A cause that nobody knows is not normal."""
    normal = sum(customers for cause, customers in lost.items() if cause in NORMAL)
    severe = sum(lost.values()) - normal
    return Loss(
        judged="severe" if severe else "normal" if normal else "none",
        normal=normal,
        severe=severe,
        severe_share=severe / (normal + severe) if severe else 0.0,
        causes={cause: lost[cause] for cause in CAUSES if lost.get(cause)},
    )


def _heaviest(heard: Evidence) -> tuple[float, str]:
    return -heard.weight, heard.kind


def _weighed(kind: str, count: int, newest_at: int, at: int) -> Evidence:
    age = max(at - newest_at, 0) / DAY
    return Evidence(
        kind=kind, count=count, newest_at=instant(newest_at), weight=WEIGHTS[kind] * min(count, REPEATS_MAX) * exp(-age / FADE_DAYS)
    )


def _displeasure(touchpoint_type: str, data: Mapping[str, Any]) -> set[str]:
    """What happened, apart from any reason given."""
    kinds = {_COMPLAINING[touchpoint_type]} if touchpoint_type in _COMPLAINING else set()
    if touchpoint_type == "complaint.resolved" and data.get("satisfied") is False:
        kinds.add("dissatisfied/unsolved")
    if touchpoint_type == "call.wrapped_up" and data.get("complaint") is True:
        kinds.add("dissatisfied/complaint")
    ratings = (data.get(name) for name in ("rating", "satisfaction", "score"))
    if touchpoint_type in {"call.wrapped_up", "satisfaction.rated"} and any(_is_low(rating) for rating in ratings):
        kinds.add("dissatisfied/rating")
    return kinds


def _is_low(rating: object) -> bool:
    """Ratings are 1..5; anything else is no rating."""
    return isinstance(rating, int | float) and not isinstance(rating, bool) and 1 <= rating <= RATING_LOW


def _coded(touchpoint_type: str, data: Mapping[str, Any]) -> set[str]:
    """What the codes say. Only the end of a contract can be our own doing."""
    kinds = kinds_of_codes(data)
    if touchpoint_type != "contract.cancelled":
        return kinds - {_OURS}
    by = data.get("cancelled_by", data.get("initiator"))
    return kinds | {_OURS} if isinstance(by, str) and by.lower() in _BY_US else kinds


def _of_a_rival(data: Mapping[str, Any]) -> set[str]:
    """A rival was named (`competitor`: a name, or true): by itself that is poaching; for a feature or its quality, attraction."""
    rival = data.get("competitor")
    if rival is not True and not (isinstance(rival, str) and rival.strip()):
        return set()
    said = kinds_of_codes(data) | kinds_of_words(data)
    return set() if any(kind.startswith(("attracted/", "poached/")) for kind in said) else {"poached/competitor"}

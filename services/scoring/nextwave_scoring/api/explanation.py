"""Everything that is told of one customer at one instant, with the reasons; also of a customer to whom something would happen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
from nextwave_contracts.customers import Churn, Course, Value
from nextwave_contracts.touchpoints import Touchpoint

from nextwave_scoring.causes import Likeliest
from nextwave_scoring.customer import Customer, Judgement, due_review
from nextwave_scoring.economics import UnitEconomics
from nextwave_scoring.fold import Fold
from nextwave_scoring.instants import instant, instant_or_none, micros
from nextwave_scoring.profile import touch
from nextwave_scoring.relationship import Relationship
from nextwave_scoring.value.cells import POLICIES, Thresholds

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Customer).decode


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Money in minor units of `value.currency`; shares and risks 0..1."""

    at: datetime
    churn: Churn
    """The contributions of its reasons add up to the risk."""
    shadows: Mapping[str, float]
    """What models that run beside the live one say."""
    judged_again_at: datetime | None
    """When silence alone would change something; None when it never would."""
    stage: str
    course: Course
    value: Value
    unbought: tuple[str, ...]
    thresholds: Thresholds
    policy: Mapping[str, Any]
    """What may be spent on customers of this cell."""
    cause: Likeliest
    relationship: Relationship
    economics: UnitEconomics
    net: int


class Happening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A touchpoint that might come."""

    type: str
    data: dict[str, Any] = {}
    occurred_at: datetime | None = None


def explain(fold: Fold, customer: Customer, at: int, taken: Sequence[Thresholds]) -> Explanation:
    """The customer at `at` (microseconds), by the models in force and the thresholds `taken` so far."""
    judge = fold.judge
    judged: Judgement = judge.judge(customer, at, taken)
    told, course = judged.told, judged.told.course
    return Explanation(
        at=instant(at),
        churn=judged.churn,
        shadows={model.name: model.outlook(customer.profile).risk(at) for model in judge.models.current.shadows},
        judged_again_at=instant_or_none(due_review(judged) or 0),
        stage=judged.standing.stage,
        course=Course(reached=course.reached, signs=course.signs, tenure_days=course.tenure_days, pattern=course.pattern),
        value=judged.value,
        unbought=told.worth.unbought,
        thresholds=judge.house.thresholds(taken, at),
        policy=asdict(POLICIES[judged.value.cell]),
        cause=told.cause,
        relationship=told.relationship,
        economics=told.economics,
        net=told.economics.net,
    )


def supposing(fold: Fold, customer: Customer, happenings: Sequence[Happening], at: int) -> Customer:
    """A copy of the customer to whom these have happened, each at its own instant, or at `at` (microseconds) where none is told."""
    copy = _decode(_encode(customer))
    for number, happening in enumerate(happenings):
        received_at = instant(at)
        touchpoint = Touchpoint(
            id=f"supposed-{number}",
            source="supposed",
            type=happening.type,
            identifiers=tuple(copy.profile.names[:1]),
            occurred_at=min(happening.occurred_at or received_at, received_at),
            received_at=received_at,
            data=happening.data,
        )
        touch.take(copy.profile, touchpoint, fold.rates)
        judged = fold.judge.judge(copy, micros(touchpoint.occurred_at))
        copy.standing = judged.standing
    return copy

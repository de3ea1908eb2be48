"""Everything that is told of one customer at one instant, with the reasons; also of a customer to whom something would happen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
from nextwave_contracts.consents import GRANTED, WITHDRAWN, scoped
from nextwave_contracts.contents import fault_of
from nextwave_contracts.customers import Churn, Course, Value
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import decode, encode

from nextwave_scoring.causes import Likeliest
from nextwave_scoring.customer import Customer, Judgement, due_review
from nextwave_scoring.economics import UnitEconomics
from nextwave_scoring.fold import Fold
from nextwave_scoring.instants import instant, instant_or_none, micros
from nextwave_scoring.profile import touch
from nextwave_scoring.relationship import Relationship
from nextwave_scoring.value.cells import POLICIES, Thresholds

_NEW = ("anonymous_id:supposed",)
"""The name of somebody new."""
_NO_FACT = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""What data of the wrong types raises: a touchpoint like that is rejected where it comes in, and here it is the question that is wrong."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Customer).decode


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Money in minor units of `value.currency`; shares and risks 0..1."""

    at: datetime
    churn: Churn
    """The contributions of its reasons add up to the risk."""
    risk_without: Mapping[str, float]
    """By feature of these reasons the risk if it added nothing."""
    shadows: Mapping[str, float]
    """What models that run beside the live one say."""
    judged_again_at: datetime | None
    """Until then silence alone changes neither the band nor the stage. Then it is judged again, which may change nothing: the risk is
    looked at 180 days ahead, and a turn of the stage is a time at which there may be one. None when silence never changes anything.
    """
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


class UnsupposableError(ValueError):
    """No customer can have this: `number` is the happening's place among those asked about, `pointer` what is wrong with it."""

    def __init__(self, number: int, reason: str, pointer: str = "/data") -> None:
        super().__init__(f"no touchpoint can be like this: {reason}")
        self.number = number
        self.pointer = pointer


def explain(fold: Fold, customer: Customer, at: int, taken: Sequence[Thresholds]) -> Explanation:
    """The customer at `at` (microseconds), by the models in force and the thresholds `taken` so far."""
    judge = fold.judge
    judged: Judgement = judge.judge(customer, at, taken)
    told, course = judged.told, judged.told.course
    return Explanation(
        at=instant(at),
        churn=judged.churn,
        risk_without=judged.outlook.risk_without(at),
        shadows={model.name: model.outlook(customer.profile).risk(at) for model in judge.models.current.beside(customer.profile)},
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


def supposing(fold: Fold, customer: Customer, happenings: Sequence[Happening], at: int, taken: Sequence[Thresholds]) -> Customer:
    """A copy of the customer to whom these have happened, each at its own instant, or at `at` (microseconds) where none is told.

    After each the copy is judged as the fold would judge it. Raises `UnsupposableError` also for what no door would let in.
    """
    copy, end = _decode(_encode(customer)), instant(at)
    for number, happening in sorted(enumerate(happenings), key=lambda pair: pair[1].occurred_at or end):
        if fault := fault_of(happening.type, happening.data):
            raise UnsupposableError(number, fault[1], fault[0])
        touchpoint = Touchpoint(
            id=f"supposed-{number}",
            source="supposed",
            type=happening.type,
            identifiers=tuple(copy.profile.names[:1]) or _NEW,
            occurred_at=min(happening.occurred_at or end, end),
            received_at=end,
            data=scoped(happening.data) if happening.type in (GRANTED, WITHDRAWN) else happening.data,
        )
        try:
            touch.take(copy.profile, decode(encode(touchpoint), Touchpoint), fold.rates)
            copy.standing = fold.judge.judge(copy, micros(touchpoint.occurred_at), taken).standing
        except _NO_FACT as wrong:
            raise UnsupposableError(number, str(wrong)) from wrong
    return copy

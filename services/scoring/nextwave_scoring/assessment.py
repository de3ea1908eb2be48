"""Everything that is told of a customer beside the risk, put together from one profile at one instant by what the user set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from nextwave_contracts.customers import Band

from nextwave_scoring.causes import Likeliest, likeliest
from nextwave_scoring.economics import UnitEconomics, of_earnings
from nextwave_scoring.lifecycle import Course, Lifecycle, course
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.satisfaction import satisfaction
from nextwave_scoring.relationship import Relationship, Scale, indicators, relationship
from nextwave_scoring.value.appraisal import Worth, appraise
from nextwave_scoring.value.assumptions import Economics
from nextwave_scoring.value.cells import Thresholds
from nextwave_scoring.value.thresholds import ThresholdRule, first_thresholds, in_force
from nextwave_scoring.value.trade import trade_of


@dataclass(frozen=True, slots=True)
class House:
    """What the user said of the business."""

    economics: Economics = field(default_factory=Economics)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    scale: Scale = field(default_factory=Scale)
    rule: ThresholdRule = field(default_factory=ThresholdRule)

    def thresholds(self, taken: Sequence[Thresholds], at: int) -> Thresholds:
        """What divides low from high value at `at` (microseconds), given the versions `taken` so far, oldest first."""
        first = first_thresholds(self.rule, Thresholds(self.economics.current_min, self.economics.potential_min))
        return in_force((first, *taken), at) if taken else first


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """Where the relationship stands, what it is worth, why it may end, how good it is, and what it has brought in so far."""

    course: Course
    worth: Worth
    cause: Likeliest
    relationship: Relationship
    economics: UnitEconomics


def assess(profile: Profile, band: Band, risk: float, at: int, house: House) -> Assessment:
    """The assessment at `at` (microseconds) of a customer in `band` whose churn risk (0..1) is `risk`."""
    economics = house.economics
    trade = trade_of(profile, at, economics)
    stands = course(profile, trade.earned.margin, band, at, house.lifecycle)
    known = indicators(profile, satisfaction(profile), stands.tenure_days, len(economics.range), house.scale)
    return Assessment(
        course=stands,
        worth=appraise(trade, stands.stage, risk, economics),
        cause=likeliest(profile, at),
        relationship=relationship(known, house.scale),
        economics=of_earnings(trade.earned, profile, economics.loading_share),
    )

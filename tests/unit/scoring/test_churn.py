"""The baseline: a risk with named parts that only rises in silence, bands that do not flap, and exact reviews."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.customers import Band, RiskReason
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.churn import bands, review
from nextwave_scoring.churn.baseline import Outlook, outlook
from nextwave_scoring.churn.calibration import Calibration
from nextwave_scoring.churn.logodds import sigmoid
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.profile.record import Contract

from .making import START, folded, histories, touchpoint

Event = Touchpoint | Outcome
BANDS = st.sampled_from(bands.BANDS)


def day(after: float) -> int:
    return micros(START) + round(after * DAY)


def outlook_of(*events: Event) -> Outlook:
    return outlook(folded(list(events)), DEFAULT)


def visits(*days: float) -> list[Event]:
    return [touchpoint("page.viewed", after=d) for d in days]


@given(histories, st.integers(0, 900))
def test_the_reasons_add_up_to_the_risk(events: list[Event], after: int) -> None:
    ahead = outlook(folded(events), DEFAULT)
    risk = ahead.risk(day(after))
    assert 0.0 <= risk <= 1.0
    assert sum(reason.contribution for reason in ahead.explained(day(after))[1]) == pytest.approx(risk, abs=1e-9)


@given(histories, st.integers(0, 900))
def test_without_the_top_reason_the_risk_is_lower(events: list[Event], after: int) -> None:
    ahead = outlook(folded(events), DEFAULT)
    _population, *own = ahead.explained(day(after))[1]
    top = max(own, key=lambda reason: reason.contribution)
    if top.contribution > 1e-6:
        assert ahead.risk_without(day(after))[top.feature] < ahead.risk(day(after))


@given(histories, st.integers(0, 900), st.floats(0.1, 5.0), st.floats(-5.0, 5.0))
def test_the_reasons_add_up_to_a_calibrated_risk_as_well(events: list[Event], after: int, slope: float, shift: float) -> None:
    bent = Calibration(((-1.0, shift - slope), (0.0, shift), (1.0, shift + 2 * slope)))
    ahead = outlook(folded(events), replace(DEFAULT, calibration=bent))
    risk = ahead.risk(day(after))
    assert risk == pytest.approx(sigmoid(bent(ahead.logit(day(after)))))
    assert sum(reason.contribution for reason in ahead.explained(day(after))[1]) == pytest.approx(risk, abs=1e-9)


@given(histories, st.integers(0, 900), st.integers(0, 900))
def test_silence_alone_never_lowers_the_risk(events: list[Event], a: int, b: int) -> None:
    ahead = outlook(folded(events), DEFAULT)
    assert ahead.risk(day(min(a, b))) <= ahead.risk(day(max(a, b))) + 1e-12


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("complaint.opened", {"reference": "t"}),
        ("complaint.resolved", {"satisfied": False}),
        ("call.abandoned", {}),
        ("order.returned", {}),
        ("payment.failed", {}),
        ("delivery.delayed", {}),
        ("contract.cancelled", {}),
        ("call.wrapped_up", {"refusal": True}),
        ("satisfaction.rated", {"rating": 1}),
    ],
)
def test_each_bad_sign_raises_the_risk_and_is_named(kind: str, data: dict[str, Any]) -> None:
    calm = outlook_of(*visits(0, 10, 20), touchpoint("page.viewed", after=30))
    moved = outlook_of(*visits(0, 10, 20), touchpoint("page.viewed", after=30), touchpoint(kind, after=30, **data))
    assert moved.risk(day(31)) > calm.risk(day(31))
    named = {r.feature for r in moved.explained(day(31))[1] if r.contribution > 0}
    assert named - {r.feature for r in calm.explained(day(31))[1]}


def test_a_frequent_visitor_is_missed_sooner_than_a_rare_one() -> None:
    frequent, rare = outlook_of(*visits(*range(0, 60, 3))), outlook_of(*visits(0, 28, 57))
    assert frequent.risk(day(57)) < rare.risk(day(57))
    assert frequent.risk(day(57 + 60)) > rare.risk(day(57 + 60))


def test_a_regular_rhythm_makes_silence_tell_sooner_than_an_irregular_one() -> None:
    regular, irregular = outlook_of(*visits(0, 10, 20, 30, 40)), outlook_of(*visits(0, 1, 2, 39, 40))
    assert regular.risk(day(65)) > irregular.risk(day(65))


def test_falling_activity_is_a_sign() -> None:
    ahead = outlook_of(*visits(*range(0, 60, 3), 89))
    assert "falling_activity" in {r.feature for r in ahead.explained(day(90))[1]}


def test_the_end_of_a_contract_comes_nearer_in_silence_and_is_told() -> None:
    profile = folded(list(visits(0, 5)))
    profile.contracts["c"] = Contract(ends_at=day(100), ends_told_at=day(0))
    bound, free = outlook(profile, DEFAULT), outlook_of(*visits(0, 5))
    assert bound.risk(day(30)) == free.risk(day(30))
    assert bound.risk(day(99)) > free.risk(day(99))
    near = {reason.feature: reason.value for reason in bound.explained(day(70))[1]}["contract_end_near"]
    assert near == pytest.approx(0.5)


def test_a_renewed_or_cancelled_contract_has_no_end_that_comes_nearer() -> None:
    for known in (
        Contract(ends_at=day(20), ends_told_at=day(0), renewed_at=day(3)),
        Contract(ends_at=day(20), ends_told_at=day(0), cancelled_at=day(3)),
    ):
        profile = folded(list(visits(0, 5)))
        profile.contracts["c"] = known
        assert outlook(profile, DEFAULT).risk(day(40)) == outlook_of(*visits(0, 5)).risk(day(40))


def test_a_newcomer_is_not_at_risk_at_once_and_lost_in_the_end() -> None:
    ahead = outlook_of(touchpoint())
    assert bands.first_band(ahead.risk(day(0))) == "low"
    assert bands.first_band(ahead.risk(day(180))) == "lost"


def test_a_band_is_entered_at_its_upper_threshold_and_left_only_below_its_lower_one() -> None:
    later = 10 * DAY
    assert bands.next_band("low", 0, 0.349, later) == "low"
    assert bands.next_band("low", 0, 0.35, later) == "elevated"
    assert bands.next_band("elevated", 0, 0.29, later) == "elevated"
    assert bands.next_band("elevated", 0, 0.27, later) == "low"


def test_a_step_down_waits_for_the_least_stay_and_a_step_up_does_not() -> None:
    assert bands.next_band("high", 0, 0.1, bands.STAY - 1) == "high"
    assert bands.next_band("high", 0, 0.1, bands.STAY) == "low"
    assert bands.next_band("high", 0, 0.9, 1) == "lost"


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30), st.integers(1, DAY))
def test_a_customer_at_the_border_does_not_flap(risks: list[float], step: int) -> None:
    band, since, falls = bands.first_band(risks[0]), 0, []
    for n, risk in enumerate(risks):
        after = bands.next_band(band, since, risk, n * step)
        if bands.BANDS.index(after) < bands.BANDS.index(band):
            falls.append(n * step - since)
        if after != band:
            band, since = after, n * step
    assert all(stay >= bands.STAY for stay in falls)


@given(histories, st.integers(0, 500), BANDS, st.integers(0, 10))
def test_the_review_is_the_exact_instant_at_which_the_band_changes(events: list[Event], after: int, band: Band, stayed: int) -> None:
    ahead, at = outlook(folded(events), DEFAULT), day(after)
    since = at - stayed * DAY
    band = bands.next_band(band, since, ahead.risk(at), at)
    due = review.next_review(ahead, band, since, at)
    if due is None:
        assert band == "lost"
        assert not review.changes_by(ahead, band, since, at, at + 400 * DAY)
        return
    assert at < due <= at + review.AHEAD
    assert bands.next_band(band, since, ahead.risk(due - 1), due - 1) == band
    if due < at + review.AHEAD:
        assert bands.next_band(band, since, ahead.risk(due), due) != band
        assert review.changes_by(ahead, band, since, at, due)
    assert not review.changes_by(ahead, band, since, at, due - 1)


class Steps:
    """A risk that is `low` up to an instant and `high` from then on."""

    def __init__(self, low: float, high: float, rises_at: int) -> None:
        self.low, self.high, self.rises_at = low, high, rises_at

    def risk(self, at: int) -> float:
        return self.high if at >= self.rises_at else self.low

    def explained(self, at: int) -> tuple[float, tuple[RiskReason, ...]]:
        return self.risk(at), ()

    def risk_without(self, _at: int) -> dict[str, float]:
        return {}


def test_a_band_that_is_left_and_entered_again_by_the_end_has_changed_in_between() -> None:
    ahead, since, at = Steps(0.1, 0.4, day(20)), day(0), day(1)
    assert bands.next_band("elevated", since, ahead.risk(day(30)), day(30)) == "elevated"
    assert review.changes_by(ahead, "elevated", since, at, day(30))  # it falls to low after the least stay, and rises again
    assert review.next_review(ahead, "elevated", since, at) == since + bands.STAY
    assert not review.changes_by(Steps(0.3, 0.4, day(20)), "elevated", since, at, day(30))
    assert not review.changes_by(ahead, "elevated", since, at, since + bands.STAY - 1)


def test_beyond_the_outer_knots_a_steep_calibration_goes_on_no_steeper_than_the_model() -> None:
    steep = Calibration(((-1.0, -3.0), (0.0, 0.0), (1.0, 2.2)))
    assert (steep(-2.0), steep(0.5), steep(2.0)) == pytest.approx((-4.0, 1.1, 3.2))


def test_a_threshold_is_reached_where_silence_crosses_it_or_at_once() -> None:
    ahead = Steps(0.1, 0.9, day(20))
    assert review.reached(ahead, 0.85, day(1), day(90)) == day(20)
    assert review.reached(ahead, 0.85, day(30), day(90)) == day(30)

"""Trained models keep the baseline's laws: reasons add up, silence never lowers the risk, reviews are exact; broken files are refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.churn import bands, review
from nextwave_scoring.churn.boosted import boosted
from nextwave_scoring.churn.calibration import NONE, Calibration
from nextwave_scoring.churn.features import CATALOGUE, UnknownFeatureError, features, reader
from nextwave_scoring.churn.logistic import logistic
from nextwave_scoring.churn.logodds import sigmoid
from nextwave_scoring.churn.meanings import REASONS
from nextwave_scoring.churn.outlook import Model
from nextwave_scoring.churn.population import DEFAULT, parameters_of
from nextwave_scoring.instants import DAY, micros

from .making import START, folded, histories, touchpoint
from .trained import FORMULA, TREES

Event = Touchpoint | Outcome
SURE = 1.0 - 1e-9
"""Beyond this, rounding leaves no room for anything that changes the risk."""
MEANT = {reason.feature for reason in REASONS}
RANGES = {"silence_days": (2.0, 90.0), "orders": (0.0, 3.0)}
BENT = Calibration(((-1.0, -2.0), (0.0, 0.5), (2.0, 0.9)))
STACKED = {
    "intercept": 0.2,
    "terms": [{"feature": "baseline", "weight": 0.9, "mean": 0.3, "scale": 1.5}, {"feature": "spent_log", "weight": -0.2, "mean": 5.0}],
    "population": parameters_of(DEFAULT),
}
SIGNED = {
    "intercept": -0.3,
    "terms": [
        {"feature": "baseline", "weight": 1.0},
        {"feature": "failed_payments", "weight": -2.0},
        {"feature": "open_complaints", "weight": -0.6, "mean": 0.5},
        {"feature": "returns", "weight": 3.0},
    ],
    "population": parameters_of(DEFAULT),
}
"""Signs that the baseline weighs as well, some of them the other way round."""
MODELS: dict[str, Model] = {
    "logistic": logistic("churn@1", 60, msgspec.json.encode(FORMULA), NONE),
    "calibrated": logistic("churn@2", 60, msgspec.json.encode(FORMULA), BENT),
    "on the baseline": logistic("churn@3", 60, msgspec.json.encode(STACKED), BENT),
    "beside the baseline's own signs": logistic("churn@4", 60, msgspec.json.encode(SIGNED), NONE),
    "within what was learned from": logistic("churn@5", 60, msgspec.json.encode(FORMULA), NONE, RANGES),
    "trees": boosted("trees@1", 60, TREES.encode(), BENT),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())


def day(after: float) -> int:
    return micros(START) + round(after * DAY)


@each_model
@given(events=histories, after=st.integers(0, 900))
def test_the_reasons_add_up_to_the_risk(model: Model, events: list[Event], after: int) -> None:
    ahead = model.outlook(folded(events))
    assert sum(reason.contribution for reason in ahead.explained(day(after))[1]) == pytest.approx(ahead.risk(day(after)), abs=1e-9)


@each_model
@given(events=histories, a=st.integers(0, 900), b=st.integers(0, 900))
def test_silence_alone_never_lowers_the_risk(model: Model, events: list[Event], a: int, b: int) -> None:
    ahead = model.outlook(folded(events))
    assert ahead.risk(day(min(a, b))) <= ahead.risk(day(max(a, b))) + 1e-12


@each_model
@given(events=histories, after=st.integers(0, 900))
def test_without_the_top_reason_the_risk_is_lower(model: Model, events: list[Event], after: int) -> None:
    ahead = model.outlook(folded(events))
    _population, *own = ahead.explained(day(after))[1]
    top = max(own, key=lambda reason: reason.contribution)
    if top.contribution > 1e-6:
        assert ahead.risk_without(day(after))[top.feature] < ahead.risk(day(after))


@each_model
@given(events=histories, after=st.integers(0, 900))
def test_every_reason_has_a_name_of_its_own_and_without_it_the_risk_goes_the_other_way(
    model: Model, events: list[Event], after: int
) -> None:
    ahead, at = model.outlook(folded(events)), day(after)
    told = ahead.explained(at)[1]
    assert list(ahead.risk_without(at)) == [reason.feature for reason in told[1:]]
    assert all(reason.feature in MEANT or reason.feature.startswith("trait:") for reason in told)
    assert len({reason.feature for reason in told}) == len(told)
    for reason in told[1:]:
        if abs(reason.contribution) > 1e-6 and ahead.risk(at) < SURE:
            assert (ahead.risk_without(at)[reason.feature] < ahead.risk(at)) == (reason.contribution > 0), reason


def test_a_feature_beyond_what_was_learned_from_counts_as_the_nearest_value_that_was() -> None:
    one = folded([touchpoint("order.placed", after=d, amount=5, currency="EUR") for d in range(6)])
    bounded, free = (MODELS[kind].outlook(one) for kind in ("within what was learned from", "logistic"))
    assert bounded.risk(day(5 + 500)) == pytest.approx(sigmoid(-0.4 + 0.8 * (90 - 30) / 20 - 0.5 * (3 - 2) / 2))
    assert bounded.risk(day(5)) == pytest.approx(sigmoid(-0.4 + 0.8 * (2 - 30) / 20 - 0.5 * (3 - 2) / 2))
    assert free.risk(day(5 + 500)) == pytest.approx(sigmoid(-0.4 + 0.8 * (500 - 30) / 20 - 0.5 * (6 - 2) / 2))
    told = {reason.feature: reason.value for reason in bounded.explained(day(5 + 500))[1]}
    assert (told["silence_days"], told["orders"]) == (500.0, 6.0)


def test_a_sign_that_the_baseline_weighs_too_is_one_reason_with_the_sum() -> None:
    ahead = MODELS["beside the baseline's own signs"].outlook(folded([touchpoint("payment.failed", after=d) for d in range(4)]))
    (found,) = (reason for reason in ahead.explained(day(4))[1] if reason.feature == "failed_payments")
    assert found.contribution < 0
    assert ahead.risk_without(day(4))["failed_payments"] > ahead.risk(day(4))


def test_a_tree_may_fall_along_the_silence_only_where_another_feature_tells_the_leaves_apart() -> None:
    apart = TREES.replace("threshold=20.5 1.5 60.5", "threshold=20.5 1.5 2.5").replace("split_feature=0 1 0", "split_feature=0 1 1")
    for lower, is_read in ((0.2, True), (0.4, False)):  # few orders: -0.4 then 0.3; many orders: `lower` then 0.3 and, above two, 1.2
        text = apart.replace("leaf_value=-0.4 0.3 -0.9 1.2", f"leaf_value=-0.4 0.3 {lower} 1.2").encode()
        if is_read:
            boosted("trees@1", 60, text, NONE)
        else:
            with pytest.raises(ValueError, match="monotone"):
                boosted("trees@1", 60, text, NONE)
    many = apart.replace("threshold=20.5 1.5 2.5", "threshold=20.5 2.5 1.5").replace(
        "leaf_value=-0.4 0.3 -0.9 1.2", "leaf_value=0.1 0.3 0.9 1.2"
    )
    boosted("trees@1", 60, many.encode(), NONE)  # 0.9 (more than two orders) lies above 0.3 (one order at most), and is never before it


@each_model
@given(events=histories, after=st.integers(0, 300))
def test_a_review_falls_on_the_first_microsecond_of_the_next_band(model: Model, events: list[Event], after: int) -> None:
    ahead, at = model.outlook(folded(events)), day(after)
    band = bands.first_band(ahead.risk(at))
    due = review.next_review(ahead, band, at, at)
    if due is not None and due < at + review.AHEAD:
        assert bands.first_band(ahead.risk(due - 1)) == band != bands.first_band(ahead.risk(due))


def test_trees_are_walked_as_the_file_says() -> None:
    one = folded([touchpoint("order.placed", amount=5, currency="EUR"), touchpoint("customer.identified", after=1, plan="pre paid")])
    plain = boosted("trees@1", 60, TREES.encode(), NONE).outlook(one)
    assert plain.risk(day(20)) == pytest.approx(sigmoid(-0.4 + 0.25))
    assert plain.risk(day(21)) == pytest.approx(sigmoid(0.3 + 0.25))
    assert plain.risk(day(61)) == pytest.approx(sigmoid(1.2 + 0.25))


def test_what_a_feature_of_trees_adds_is_the_change_when_it_is_not_known() -> None:
    one = folded([touchpoint("order.placed", amount=5, currency="EUR")])
    model = boosted("trees@1", 60, TREES.encode(), NONE)
    unknown = (20 * 0.3 + 25 * 1.2) / 45
    expected = 55 / 100 * -0.4 + 45 / 100 * unknown  # as far as the silence is asked for
    assert model.outlook(one).risk_without(day(61))["silence_days"] == pytest.approx(sigmoid(expected - 0.1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("end of trees", ""), "not complete"),
        (("objective=binary sigmoid:1", "objective=regression"), "must be binary"),
        (("leaf_value=-0.4 0.3 -0.9 1.2", "leaf_value=-0.4 1.3 -0.9 1.2"), "monotone constraint"),
        (("leaf_value=-0.4 0.3 -0.9 1.2", "leaf_value=0.4 0.3 -0.9 1.2"), "monotone constraint"),
        (("leaf_value=-0.1 0.25", "leaf_value=nan 0.25"), "nan must be a number"),
        (("split_feature=0 1 0", "split_feature=0 3 0"), "does not name"),
        (("split_feature=0 1 0", "split_feature=0 -1 0"), "does not name"),
        (("left_child=1 -1 -2", "left_child=1 -1 0"), "child of one other"),
        (("right_child=2 -3 -4", "right_child=1 -3 -4"), "child of one other"),
        (("feature_names=silence_days orders", "feature_names=silence_days silence_days"), "twice"),
        (("leaf_count=30 20 25 25", "leaf_count=30 20 -25 25"), "fewer than no cases"),
        (("feature_names=silence_days orders", "feature_names=silence_days odors"), "odors is no feature"),
        (("num_cat=0", "num_cat=1"), "categorical"),
        (("right_child=2 -3 -4", "right_child=2 -3 -9"), "damaged"),
        (("threshold=20.5 1.5 60.5", "threshold=20.5 x 60.5"), "could not convert"),
        (("decision_type=2 2 2", "decision_type=2 6 2"), "zero_as_missing"),
    ],
)
def test_a_file_of_trees_that_cannot_be_used_is_refused_with_the_reason(change: tuple[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        boosted("trees@1", 60, TREES.replace(*change).encode(), NONE)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ([{"feature": "silence_days", "weight": -0.1}], "must not be below 0"),
        ([{"feature": "shoe_size", "weight": 1.0}], "shoe_size is no feature"),
        ([{"feature": "orders", "weight": 1.0, "scale": 0.0}], "scale of orders"),
        ([{"feature": "baseline", "weight": 1.0}], "population belongs"),
        ([{"feature": "orders"}], "weight"),
        ([{"feature": "orders", "weight": 1.0}, {"feature": "orders", "weight": -2.0}], "orders is there twice"),
        ([{"feature": "silence_days", "weight": 1.0}, {"feature": "silence_days", "weight": 2.0}], "silence_days is there twice"),
        ([{"feature": "orders", "weight": 1e308}], "weight"),
        ([{"feature": "orders", "weight": 1.0, "scale": 1e-300}], "scale of orders"),
    ],
)
def test_a_formula_that_cannot_be_used_is_refused_with_the_reason(terms: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        logistic("churn@1", 60, msgspec.json.encode({"intercept": 0.0, "terms": terms}), NONE)


@given(histories)
def test_every_feature_of_the_catalogue_is_read_and_has_a_meaning(events: list[Event]) -> None:
    read = features(folded(events), day(500))
    assert set(read) | {"baseline"} == set(CATALOGUE)
    assert all(CATALOGUE.values())
    assert all(value == value and abs(value) < 1e15 for value in read.values())  # noqa: PLR0124  (NaN)


def test_traits_are_features_by_name_and_by_choice() -> None:
    profile = folded([touchpoint("customer.identified", plan="gold", seats=3, trial=True)])
    read = reader(["trait:plan=gold", "trait:plan=silver", "trait:seats", "trait:none", "trait:trial=true"])
    assert read(profile) == [1.0, 0.0, 3.0, 0.0, 1.0]
    with pytest.raises(UnknownFeatureError, match="colour"):
        reader(["colour"])

"""The value matrix: thresholds by money or by quantiles of all customers, in force from an instant, and cells that do not flap."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.customers import Cell
from nextwave_scoring.instants import DAY
from nextwave_scoring.quantiles import ACCURACY, Tally, bucket, counted, merged, move, packed, quantile, unpacked
from nextwave_scoring.value.cells import POLICIES, Thresholds, next_cell
from nextwave_scoring.value.thresholds import (
    CUSTOMERS_MIN,
    LEAD,
    ThresholdRule,
    first_thresholds,
    in_force,
    next_taking,
    rounded,
    take_thresholds,
)

HALVES = Thresholds(1_000, 500)
MONEY = st.integers(-(10**12), 10**12)
CELLS: st.SearchStrategy[str] = st.sampled_from(["", "I", "II", "III", "IV"])
THRESHOLDS = st.builds(Thresholds, MONEY, MONEY)


def tally(values: list[int]) -> Tally:
    whole: Tally = {}
    for value in values:
        move(whole, None, bucket(value))
    return whole


def test_the_cell_is_current_by_potential_and_the_threshold_itself_is_high() -> None:
    cells = {(c, p): next_cell("", c, p, HALVES) for c in (999, 1_000) for p in (499, 500)}
    assert cells == {(999, 499): "I", (999, 500): "II", (1_000, 499): "III", (1_000, 500): "IV"}


def test_high_stays_high_within_the_slack_and_low_becomes_high_only_at_the_threshold() -> None:
    assert [next_cell("III", current, 0, HALVES) for current in (1_000, 900, 899)] == ["III", "III", "I"]
    assert [next_cell("I", current, 0, HALVES) for current in (899, 900, 999, 1_000)] == ["I", "I", "I", "III"]
    assert [next_cell("II", 0, potential, HALVES) for potential in (450, 449)] == ["II", "I"]


@given(CELLS, MONEY, MONEY, THRESHOLDS)
def test_the_same_values_again_give_the_same_cell(before: str, current: int, potential: int, thresholds: Thresholds) -> None:
    cell = next_cell(before, current, potential, thresholds)
    assert next_cell(cell, current, potential, thresholds) == cell


@given(st.integers(1, 10**9), st.lists(st.floats(0.905, 1.2), min_size=1))
def test_moving_about_the_border_within_the_slack_changes_the_cell_at_most_once(least: int, factors: list[float]) -> None:
    cells: list[Cell] = ["I"]
    for factor in factors:
        cells.append(next_cell(cells[-1], int(least * 100 * factor), 0, Thresholds(least * 100, 10**12)))
    assert sum(a != b for a, b in pairwise(cells)) <= 1


def test_every_cell_has_a_policy_and_only_the_first_spends_nothing() -> None:
    assert [(cell, policy.effort) for cell, policy in POLICIES.items()] == [
        ("I", "none"), ("II", "moderate"), ("III", "heavy"), ("IV", "top"),
    ]  # fmt: skip
    assert [cell for cell, policy in POLICIES.items() if not policy.paid_channels] == ["I"]
    assert [cell for cell, policy in POLICIES.items() if policy.personal_first] == ["IV"]


@given(st.lists(MONEY, min_size=1, max_size=200), st.floats(0, 1))
def test_a_quantile_is_right_within_the_accuracy(values: list[int], share: float) -> None:
    exact = sorted(values)[int(share * (len(values) - 1))]
    above = sorted(values)[min(int(share * (len(values) - 1)) + 1, len(values) - 1)]
    found = quantile(tally(values), share)
    assert min(abs(found - exact) - abs(exact) * ACCURACY, abs(found - above) - abs(above) * ACCURACY) <= 1


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | MONEY, st.integers(0, 2)), max_size=60))
def test_whatever_customers_went_through_and_wherever_only_their_last_values_are_counted(steps: list[tuple[int, int | None, int]]) -> None:
    partitions: list[Tally] = [{}, {}, {}]
    last: dict[int, int | None] = {}
    for customer, value, partition in steps:
        before, after = last.get(customer), None if value is None else bucket(value)
        move(partitions[partition], before, after)
        last[customer] = after
    counts = tally([])
    for place in last.values():
        move(counts, None, place)
    assert merged(partitions) == counts
    assert counted(merged(partitions)) == sum(place is not None for place in last.values())
    assert packed(merged(partitions[::-1])) == packed(merged(partitions))


@given(st.lists(MONEY, max_size=50))
def test_a_tally_is_stored_the_same_whatever_came_first_and_read_back(values: list[int]) -> None:
    assert packed(tally(values)) == packed(tally(values[::-1]))
    assert unpacked(packed(tally(values))) == tally(values)


def test_a_million_customers_take_a_few_kilobytes() -> None:
    spread = {bucket(value): 1_000 for value in (round(1.01**power) for power in range(2_100))}
    assert len(packed(spread)) < 4_000  # values up to ten million in the main unit


def test_nobody_has_no_quantiles() -> None:
    with pytest.raises(ValueError, match="nobody"):
        quantile({}, 0.5)


def test_money_thresholds_are_what_was_set_and_are_never_taken_from_customers() -> None:
    rule = ThresholdRule("money", 7_000, 3_000)
    assert first_thresholds(rule, HALVES) == Thresholds(7_000, 3_000)
    assert take_thresholds(rule, (tally([1] * 500), tally([1] * 500)), 0, HALVES) is None


def test_quantile_thresholds_leave_the_asked_share_low_and_come_into_force_later() -> None:
    rule = ThresholdRule("quantile", 0.8, 0.5)
    values = tally([*range(100, 100_100, 100)]), tally([*range(1, 1_001)])
    taken = take_thresholds(rule, values, 5 * DAY, HALVES)
    assert taken is not None
    assert taken.current_min == pytest.approx(80_000, rel=ACCURACY * 1.5)
    assert taken.potential_min == pytest.approx(500, rel=ACCURACY * 1.5)
    assert (taken.since, taken.customers) == (5 * DAY + LEAD, 1_000)


def test_thresholds_that_come_out_the_same_and_too_few_customers_make_no_new_ones() -> None:
    rule = ThresholdRule("quantile", 0.8, 0.5)
    few, many = tally([100] * (CUSTOMERS_MIN - 1)), tally([100] * CUSTOMERS_MIN)
    taken = take_thresholds(rule, (many, many), 0, HALVES)
    assert taken is not None
    assert take_thresholds(rule, (many, many), DAY, taken) is None
    assert take_thresholds(rule, (few, few), 0, HALVES) is None
    assert first_thresholds(rule, HALVES) == HALVES


def test_thresholds_have_two_digits_and_nobody_worth_nothing_is_high() -> None:
    assert [rounded(amount) for amount in (0, -123, 1, 94, 123, 125, 98_765)] == [1, 1, 1, 94, 120, 130, 99_000]


def test_a_judgement_uses_what_was_in_force_at_its_instant() -> None:
    versions = [HALVES, Thresholds(2, 2, since=10), Thresholds(3, 3, since=20)]
    assert [in_force(versions, at).current_min for at in (0, 9, 10, 19, 20, 99)] == [1_000, 1_000, 2, 2, 3, 3]
    assert in_force([Thresholds(2, 2, since=10)], 5).current_min == 2


def test_thresholds_are_taken_at_every_midnight() -> None:
    assert [next_taking(at) for at in (0, 1, DAY - 1, DAY)] == [DAY, DAY, DAY, 2 * DAY]

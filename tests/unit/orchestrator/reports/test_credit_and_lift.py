"""Shares that add up exactly, and what contact is worth with how sure that is."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_orchestrator.reports.credit import Toucher, apportioned, shared
from nextwave_orchestrator.reports.lift import Arm, difference, lift, wilson
from nextwave_orchestrator.state import Touch
from scipy.stats import binom
from unit.orchestrator.decision_world import MONDAY_NOON

DAY = timedelta(days=1)


def touch(days_ago: float, campaign: str = "winter", channel: str = "email") -> Touch:
    return Touch(MONDAY_NOON - days_ago * DAY, campaign, 1, "tell", "*", channel)


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(1, 10**6), min_size=1, max_size=40))
def test_parts_add_up_exactly_and_none_is_a_unit_from_its_due(total: int, weights: list[int]) -> None:
    parts = apportioned(total, weights)
    assert sum(parts) == total
    assert all(abs(part - Fraction(total * weight, sum(weights))) < 1 for part, weight in zip(parts, weights, strict=True))


@given(st.integers(0, 10**6), st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_what_weighs_more_never_gets_less(total: int, weights: list[int]) -> None:
    parts = apportioned(total, weights)
    pairs = sorted(zip(weights, parts, strict=True))
    assert all(low <= high for (a, low), (b, high) in pairwise(pairs) if a < b)


def test_each_contact_before_the_goal_shares_alike_and_the_odd_cent_goes_to_the_first_name() -> None:
    touches = [touch(1, "b"), touch(2, "a"), touch(3, "a", "sms")]
    assert shared(100, touches, MONDAY_NOON, 30 * DAY) == [
        (Toucher("a", 1, "tell", "*", "email"), 34, 1),
        (Toucher("a", 1, "tell", "*", "sms"), 33, 1),
        (Toucher("b", 1, "tell", "*", "email"), 33, 1),
    ]


def test_a_contact_shares_up_to_its_time_and_never_in_what_came_before_it() -> None:
    touches = [touch(0, "now"), touch(30, "old"), touch(29.99, "just"), touch(-1, "later")]
    assert {toucher.campaign for toucher, _, _ in shared(100, touches, MONDAY_NOON, 30 * DAY)} == {"now", "just"}


def test_nobody_shares_where_nobody_was_contacted() -> None:
    assert shared(100, [], MONDAY_NOON, 30 * DAY) == []


@pytest.mark.parametrize(
    ("treated", "held", "low", "high"),
    [
        (Arm(70, 56), Arm(80, 48), 0.0524, 0.3339),
        (Arm(10, 9), Arm(10, 3), 0.1705, 0.8090),
        (Arm(56, 5), Arm(29, 0), -0.0381, 0.1926),
    ],
)
def test_the_interval_is_that_of_newcombes_own_examples(treated: Arm, held: Arm, low: float, high: float) -> None:
    assert difference(treated, held)[1:] == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("n", "m", "p", "q"), [(200, 40, 0.1, 0.06), (1000, 50, 0.03, 0.03), (60, 60, 0.5, 0.3)])
def test_the_interval_holds_the_truth_about_nineteen_times_in_twenty(n: int, m: int, p: float, q: float) -> None:
    ones, others = binom.pmf(range(n + 1), n, p), binom.pmf(range(m + 1), m, q)
    held = 0.0
    for a in range(n + 1):
        for b in range(m + 1):
            if ones[a] * others[b] > 1e-9:
                _, low, high = difference(Arm(n, a), Arm(m, b))
                held += ones[a] * others[b] * (low <= p - q <= high)
    assert 0.93 <= held <= 0.985


def test_wilsons_interval_stays_within_nothing_and_all() -> None:
    assert wilson(Arm(10, 0))[0] == 0.0
    assert wilson(Arm(10, 10))[1] == pytest.approx(1.0)
    assert wilson(Arm(10, 10))[1] <= 1.0


def test_a_lift_tells_the_goals_that_contact_brought_and_nothing_without_a_holdout() -> None:
    found = lift(Arm(1000, 80), Arm(500, 20), "campaign")
    assert found.lift == pytest.approx(0.04)
    assert found.extra_goals == pytest.approx(40)
    assert found.low is not None
    assert found.extra_goals_low == pytest.approx(1000 * found.low)
    empty = lift(Arm(1000, 80), Arm(), "campaign")
    assert (empty.rate, empty.held_out_rate, empty.lift, empty.low, empty.extra_goals) == (0.08, None, None, None, None)

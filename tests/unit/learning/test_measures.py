"""The measures against their definitions, on customers few enough to count by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_local.learning import measures

cases = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0]), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({left for _, left in rows}) == 2
)


def arrays(rows: list[tuple[float, bool]]) -> tuple[measures.Risks, measures.Left]:
    return np.array([risk for risk, _ in rows]), np.array([left for _, left in rows])


@given(cases)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[float, bool]]) -> None:
    leavers, stayers = [risk for risk, left in rows if left], [risk for risk, left in rows if not left]
    right = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(leavers, stayers)]
    assert measures.auc(*arrays(rows)) == pytest.approx(sum(right) / len(right))


def test_the_measures_of_a_small_list() -> None:
    risks, left = np.array([0.9] * 5 + [0.2] * 15), np.array([True] * 4 + [False] + [True] * 3 + [False] * 12)
    found = measures.measure(risks, left)
    assert found.accuracy == pytest.approx(16 / 20)
    assert found.brier == pytest.approx((4 * 0.01 + 0.81 + 3 * 0.64 + 12 * 0.04) / 20)
    assert found.lift10 == pytest.approx((2 * 4 / 5 / 2) / (7 / 20))
    assert found.left_share == pytest.approx(0.35)


def test_risks_that_come_true_have_no_calibration_error() -> None:
    left = np.array([True, False, False, False, False] * 20 + [True, True, True, True, False] * 20)
    exact = np.array([0.2] * 100 + [0.8] * 100)
    assert measures.ece(exact, left) == pytest.approx(0.0)
    assert measures.ece(np.minimum(exact + 0.1, 1), left) == pytest.approx(0.1)


@given(cases)
def test_who_is_found_grows_to_everybody(rows: list[tuple[float, bool]]) -> None:
    shares = [measures.found_in(*arrays(rows), share) for share in (0.1, 0.4, 0.7, 1.0)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)

"""Populations are data per vertical: read strictly, refused by the name of the parameter; calibration maps only rise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_scoring.churn.calibration import Calibration, calibration_of
from nextwave_scoring.churn.population import DEFAULT, PopulationError, parameters_of, population_from, vertical

LOGITS = st.floats(-40, 40)


@pytest.mark.parametrize("name", ["shop", "orders", "telecom"])
def test_a_shipped_vertical_says_where_its_numbers_come_from_and_how_far_it_looks(name: str) -> None:
    population = vertical(name)
    assert "judgement" in population.source
    assert population.horizon_days >= 30


def test_an_unknown_vertical_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(PopulationError, match=r"'bank'.*orders, shop, telecom"):
        vertical("bank")


def test_what_is_written_of_a_population_reads_as_the_same() -> None:
    bent = replace(DEFAULT, calibration=Calibration(((-1.0, -2.0), (1.0, 3.0))))
    assert population_from(parameters_of(bent)) == bent


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shape": 0.0}, "shape must be above 0"),
        ({"spread": 1}, "spread is no parameter"),
        ({"weights": {**DEFAULT.weights, "overdue": -1.0}}, r"weights\.overdue must not be below 0"),
        ({"weights": {"overdue": 1.0}}, r"weights\.abandoned_calls"),
        ({"calibration": [[0, 1], [1, 0]]}, "must rise"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(change: dict[str, Any], said: str) -> None:
    with pytest.raises(PopulationError, match=said):
        population_from({**parameters_of(DEFAULT), **change})


def test_a_missing_parameter_is_refused_by_name() -> None:
    parameters = parameters_of(DEFAULT)
    del parameters["exposure_days"]
    with pytest.raises(PopulationError, match="no exposure_days"):
        population_from(parameters)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=8), LOGITS, LOGITS)
def test_a_calibration_never_changes_the_order(pairs: list[tuple[int, int]], a: float, b: float) -> None:
    xs, ys = sorted({x for x, _ in pairs}), sorted({y for _, y in pairs})
    knots = list(zip(xs, ys, strict=False))
    if len(knots) < 2:
        return
    calibrate = calibration_of(knots)
    assert calibrate(min(a, b)) <= calibrate(max(a, b)) + 1e-9
    assert [calibrate(x) for x, _ in knots] == pytest.approx([y for _, y in knots])


def test_a_calibration_of_one_line_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two"):
        calibration_of([[0, 0]])

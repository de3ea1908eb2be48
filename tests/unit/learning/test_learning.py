"""Learning looks at nothing that came later, fits what is there, and writes models that score as they were measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nextwave_local.learning import measures, report, shelf
from nextwave_local.learning.fitting import Fitted, calibration_knots, fit_logistic, fit_trees, line_of
from nextwave_local.learning.history import InputError, history_of, profiles
from nextwave_local.learning.named import Dated
from nextwave_local.learning.population_fit import population_of
from nextwave_local.learning.table import Table, table_of_cuts
from nextwave_local.learning.trial import Candidate, Trial, choose, try_histories
from nextwave_local.learning.windows import comparable, split
from nextwave_scoring.churn.calibration import Calibration
from nextwave_scoring.churn.features import silence_of
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.registry.folder import read_shelf

from .customers import DAYS, START, history, shop, visit

END = micros(START) // DAY * DAY + DAYS * DAY
HORIZON = 45


def silent(_: str) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def trial() -> Trial:
    return try_histories(Dated("shop", "a simulated shop", shop(), HORIZON, END), "auto", silent)


def test_what_comes_after_a_cut_leaves_no_trace_in_the_profile() -> None:
    cut = micros(START) + 20 * DAY
    assert profiles(history("1", 0, 5, 19), [cut]) == profiles(history("1", 0, 5, 19, 21, 100), [cut])
    assert profiles(history("1", 30), [cut]) == [None]


def test_a_touchpoint_told_twice_is_one() -> None:
    assert history_of("1", [visit("1", 3), visit("1", 1), visit("1", 3)]) == history("1", 1, 3)


def test_the_check_begins_one_horizon_before_the_end_and_no_learning_looks_into_it() -> None:
    parts = split(shop(), HORIZON, END, silent)
    assert parts.check_at == END - HORIZON * DAY
    assert all(cut.at + cut.horizon_days * DAY <= parts.check_at for cut in parts.learning)
    assert (parts.check.at, parts.check.horizon_days) == (parts.check_at, HORIZON)


def test_a_horizon_that_leaves_nothing_to_learn_from_is_refused_with_what_to_choose() -> None:
    with pytest.raises(InputError, match=r"learning window is empty.*--horizon below 120"):
        split(shop(), DAYS + 1, END, silent)


def test_a_check_without_any_loss_is_refused() -> None:
    faithful = [history(str(number), *range(0, DAYS, 5)) for number in range(150)]
    with pytest.raises(InputError, match="tells nothing: of 150 customers known before it 0 did not come back"):
        split(faithful, HORIZON, END, silent)


def test_a_learning_window_without_any_loss_is_refused() -> None:
    gone_late = [history(str(number), *range(0, 190 if number % 2 else DAYS, 5)) for number in range(150)]
    with pytest.raises(InputError, match="the learning window tells nothing: of 450 customers known in it 0 did not come back"):
        split(gone_late, HORIZON, END, silent)


def test_the_population_is_found_again_that_the_customers_were_drawn_from() -> None:
    parts = split(shop(1500), HORIZON, END, silent)
    found = population_of(parts.learning, DEFAULT.with_horizon(HORIZON), "a test")
    assert found.shape / found.exposure_days == pytest.approx(0.1, rel=0.35)
    assert 1 / found.leaving_per_day == pytest.approx(150, rel=0.35)


def test_the_shelved_model_gives_the_risks_that_were_measured(trial: Trial, tmp_path: Path) -> None:
    shelf.put(tmp_path, trial, "churn", "shadow")
    ((card, model),) = read_shelf(tmp_path).models
    assert (card.full_name, card.kind, card.horizon_days, card.window is not None) == ("churn@1", trial.fitted.kind, HORIZON, True)
    assert trial.parts
    assert trial.population
    check = trial.parts.check
    rows = table_of_cuts([check], trial.population, names=trial.fitted.names).rows
    calibrate = Calibration(card.calibration)
    expected = [1 / (1 + np.exp(-calibrate(float(logit)))) for logit in trial.fitted.logits(rows)]
    assert [model.outlook(profile).risk(check.at) for profile in check.profiles] == pytest.approx(expected, abs=1e-9)


def test_a_logistic_fit_goes_no_further_than_the_customers_it_saw() -> None:
    rows, left = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([False, True, False, True])
    fitted = fit_logistic(Table(("watched_days",), rows, left, np.array([], dtype=np.str_)), None)
    assert fitted.ranges == {"watched_days": (1.0, 4.0)}
    assert fitted.logits(np.array([[4000.0], [-1.0]])) == pytest.approx(fitted.logits(np.array([[4.0], [1.0]])))


def test_shelved_trees_give_lightgbms_own_risks(tmp_path: Path) -> None:
    parts = split(shop(), HORIZON, END, silent)
    table = table_of_cuts(parts.learning, DEFAULT, names=("silence_days", "comebacks", "interval_days", "active_30"))
    data = Dated("shop", "a simulated shop", [], HORIZON, END)
    fitted = fit_trees(table)
    one = Trial(data, "", {}, fitted, (), {}, {}, table.left)
    shelf.put(tmp_path, one, "trees", "off")
    ((card, model),) = read_shelf(tmp_path).models
    assert list(card.ranges.values()) == list(zip(table.rows.min(0), table.rows.max(0), strict=True))
    cut = parts.learning[-1]
    rows = table_of_cuts([cut], DEFAULT, names=fitted.names).rows
    expected = 1 / (1 + np.exp(-fitted.logits(rows)))
    assert [model.outlook(profile).risk(cut.at) for profile in cut.profiles] == pytest.approx(list(expected), abs=1e-9)


def test_a_logistic_fit_finds_the_weights_again_and_keeps_silence_from_speaking_for_staying() -> None:
    chance = np.random.default_rng(1)
    rows = chance.normal(size=(20_000, 2))
    left = chance.random(20_000) < 1 / (1 + np.exp(-(0.5 + 0.8 * rows[:, 0] - 0.6 * rows[:, 1])))
    nobody = np.array([], dtype=np.str_)
    free = fit_logistic(Table(("orders", "sessions"), rows, left, nobody), None)
    base, first, second = (free.logits(np.array([row]))[0] for row in ([0.0, 0.0], [1.0, 0.0], [0.0, 1.0]))
    assert (base, first - base, second - base) == pytest.approx((0.5, 0.8, -0.6), abs=0.06)
    bound = fit_logistic(Table(("orders", "silence_days"), rows, left, nobody), None)
    assert bound.logits(np.array([[0.0, 5.0]]))[0] == pytest.approx(bound.logits(np.array([[0.0, -5.0]]))[0])


def test_a_calibration_mends_risks_that_are_too_sure() -> None:
    chance = np.random.default_rng(2)
    true = chance.normal(size=12_000)
    left = chance.random(12_000) < 1 / (1 + np.exp(-true))
    for knots in (line_of(3 * true + 1, left), calibration_knots(3 * true + 1, left)):
        calibrate = Calibration(knots)
        assert np.mean([abs(calibrate(float(3 * one + 1)) - one) for one in true]) < 0.15


def test_the_candidate_that_may_be_live_is_chosen_before_one_with_a_better_probability_alone() -> None:
    left = np.array([False, False, True, True] * 10)
    said = {"orderly": [-0.1, -0.05, 0.05, 0.1], "surer": [-1.0, 0.1, 0.0, 1.0], "surest": [-6.0, -6.0, 6.0, 6.0]}
    rows = np.column_stack([np.tile(logits, 10) for logits in said.values()])
    table = Table(tuple(said), rows, left, np.arange(40).astype(np.str_))
    given = [Candidate(name, (name,), lambda some: Fitted("logistic", some.names, b"", lambda own: own[:, 0], {})) for name in said]
    baseline = np.tile([0.45, 0.49, 0.5, 0.51], 10)
    assert [choose(given[:count], table, baseline, silent)[0].name for count in (1, 2, 3)] == ["orderly", "orderly", "surest"]
    perfect = np.tile([0.0, 0.0, 1.0, 1.0], 10)
    assert choose(given[:2], table, perfect, silent)[0].name == "surer"
    assert list(choose(given[:2], table, perfect, silent)[1]) == ["baseline", "orderly", "surer"]


def test_what_was_compared_is_told_with_the_baseline_beside_it(trial: Trial) -> None:
    told = report.as_text(trial)
    assert all(name in told for name in trial.compared)
    assert told.count("shipped baseline") == 2
    assert f"Chosen: {trial.chosen}, the best Brier score" in told
    assert list(report.as_json(trial)["compared"]) == list(trial.compared)


def test_no_limit_of_silence_decides_better_than_the_rule_and_all_its_figures_are_of_its_two_shares(trial: Trial) -> None:
    assert trial.parts
    silences = np.array([silence_of(profile, trial.parts.check.at) for profile in trial.parts.check.profiles])
    told, left = trial.metrics["silence_rule"], trial.left
    assert told.accuracy == pytest.approx(max(float(np.mean((silences > limit) == left)) for limit in np.unique(silences)))
    assert len(set(trial.risks["silence_rule"])) == 2
    assert told == measures.measure(trial.risks["silence_rule"], left)


def test_silence_alone_is_judged_by_what_the_learning_window_says_of_it(trial: Trial) -> None:
    assert trial.parts
    assert trial.population
    table = table_of_cuts(comparable(trial.parts.learning, HORIZON), trial.population, names=("silence_days",))
    silences = np.array([[silence_of(profile, trial.parts.check.at)] for profile in trial.parts.check.profiles])
    expected = 1 / (1 + np.exp(-fit_logistic(table, None).logits(silences)))
    assert trial.risks["silence"] == pytest.approx(expected, abs=1e-12)
    assert trial.metrics["silence"] == measures.measure(trial.risks["silence"], trial.left)


def test_a_second_training_is_the_next_version_and_the_new_live_model_retires_the_old(trial: Trial, tmp_path: Path) -> None:
    shelf.put(tmp_path, trial, "churn", "live", "a test")
    shelf.put(tmp_path, trial, "churn", "live", "a test")
    assert [(card.full_name, card.role, card.forced) for card, _ in read_shelf(tmp_path).models] == [
        ("churn@1", "off", "a test"),
        ("churn@2", "live", "a test"),
    ]
    shelf.give_role(tmp_path, "churn@1", "live")
    assert [card.role for card, _ in read_shelf(tmp_path).models] == ["live", "off"]

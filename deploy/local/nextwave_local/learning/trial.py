"""The trial of models: chosen by cross-validation inside the learning window, then judged by what came after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.calibration import Calibration
from nextwave_scoring.churn.card import Metrics, beats
from nextwave_scoring.churn.features import BASELINE, SILENCE, silence_of
from nextwave_scoring.churn.population import DEFAULT, Population
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from nextwave_local.learning import measures
from nextwave_local.learning.fitting import Fitted, Knots, calibration_knots, fit_logistic, fit_trees
from nextwave_local.learning.named import Dated, Labelled
from nextwave_local.learning.population_fit import population_of
from nextwave_local.learning.table import Table, looking, table_of_cuts, table_of_traits
from nextwave_local.learning.windows import Cut, Progress, Split, comparable, split

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
Wish = Literal["auto", "logistic", "lightgbm"]
Fit = Callable[[Table], Fitted]
FOLDS, REPEATS, CHOOSING_FOLDS = 10, 5, 5
SEED = 1997


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to learn: which columns, and how."""

    name: str
    columns: tuple[str, ...]
    fit: Fit

    def fitted(self, table: Table) -> Fitted:
        """The model that these lines make."""
        return self.fit(table.only(self.columns))

    def risks(self, others: Table, own: Table) -> Numbers:
        """Of lines that the model did not see."""
        return np.array(expit(self.logits(others, own)))

    def logits(self, others: Table, own: Table) -> Numbers:
        """The same in log-odds."""
        return self.fitted(others).logits(own.only(self.columns).rows)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. `risks` and `metrics` by judge: `model` and `baseline`, and of histories `time_split`, `silence`, `silence_rule`."""

    data: Dated | Labelled
    chosen: str
    compared: dict[str, Metrics]
    """By candidate, and of the baseline beside them: how well they did in cross-validation, before anything was checked."""
    fitted: Fitted
    calibration: Knots
    risks: dict[str, Numbers]
    metrics: dict[str, Metrics]
    left: NDArray[np.bool_]
    parts: Split | None = None
    population: Population | None = None


def try_histories(data: Dated, wish: Wish, progress: Progress) -> Trial:
    """Time-split. `time_split` learned before the check alone; `model` is the same, its risks calibrated by the check's other customers."""
    parts = split(data.histories, data.horizon_days, data.end, progress)
    progress("fitting the population to the learning window")
    source = f"fitted to {data.source}, learning window of {(parts.check_at - parts.start) // 86_400_000_000} days"
    population = population_of(parts.learning, DEFAULT.with_horizon(data.horizon_days), source)
    cuts = comparable(parts.learning, data.horizon_days)
    table = table_of_cuts(cuts, population)
    baseline = np.concatenate([_baseline_risks(cut, looking(cut, population)) for cut in cuts])
    chosen, compared = choose(_candidates(table, wish, population), table, baseline, progress)
    fitted = chosen.fitted(table)
    check = table_of_cuts([parts.check], population, names=chosen.columns)
    logits, left, silences = fitted.logits(check.rows), check.left, _silences(parts.check)
    risks = {
        "model": _calibrated_by_others(logits, left),
        "time_split": expit(logits),
        "baseline": _baseline_risks(parts.check, population),
        "silence": expit(fit_logistic(table_of_cuts(cuts, population, names=(SILENCE,)), None).logits(silences[:, None])),
        "silence_rule": silence_rule(silences, left),
    }
    metrics = {judge: measures.measure(found, left) for judge, found in risks.items()}
    metrics["model"] = _ordered(metrics["model"], logits, left)
    return Trial(data, chosen.name, compared, fitted, calibration_knots(logits, left), risks, metrics, left, parts, population)


def try_table(data: Labelled, wish: Wish, progress: Progress) -> Trial:
    """Ten folds, each judged (and calibrated) by what the other nine say; the baseline is the best rule by one trait alone."""
    table = table_of_traits(data.profiles, data.left)
    baseline = _out_of_fold(_ruled_by_one_trait, table)
    chosen, compared = choose(_candidates(table, wish, None), table, baseline, progress)
    risks, ruled = np.zeros(len(table.left)), np.zeros(len(table.left))
    folds = _folds(table.left, FOLDS, SEED)
    for fold in range(FOLDS):
        progress(f"fold {fold + 1} of {FOLDS}")
        others, own = table.where(folds != fold), table.where(folds == fold)
        knots = calibration_knots(_out_of_fold(chosen.logits, others), others.left)
        risks[folds == fold] = _risks(chosen.logits(others, own), knots)
        ruled[folds == fold] = _ruled_by_one_trait(others, own)
    calibration = calibration_knots(_out_of_fold(chosen.logits, table), table.left)
    both = {"model": risks, "baseline": ruled}
    metrics = {judge: measures.measure(found, table.left) for judge, found in both.items()}
    return Trial(data, chosen.name, compared, chosen.fitted(table), calibration, both, metrics, table.left)


def _candidates(table: Table, wish: Wish, population: Population | None) -> list[Candidate]:
    """From the plainest to the freest; equally good ones are chosen in this order."""

    def logistic(some: Table) -> Fitted:
        return fit_logistic(some, population)

    plain = tuple(name for name in table.names if name != BASELINE)
    built = tuple(name for name in table.names if name != SILENCE)
    found = [Candidate("logistic on every feature", built if population else plain, logistic)]
    if population:
        spending = [Candidate("logistic on the baseline and spending", (BASELINE, "spent_log"), logistic)] if "spent_log" in built else []
        found = [Candidate("logistic on the baseline", (BASELINE,), logistic), *spending, *found]
    trees = Candidate("lightgbm on every feature", plain, fit_trees)
    return [*(found if wish != "lightgbm" else []), *([trees] if wish != "logistic" else [])]


def choose(candidates: Sequence[Candidate], table: Table, baseline: Numbers, progress: Progress) -> tuple[Candidate, dict[str, Metrics]]:
    """The best Brier score of those that beat the baseline by the rule for live models, of all where none does."""
    compared = {"baseline": measures.measure(baseline, table.left)}
    for candidate in candidates:
        progress(f"cross-validation of {candidate.name}")
        compared[candidate.name] = measures.measure(_out_of_fold(candidate.risks, table), table.left)

    def rank(candidate: Candidate) -> tuple[bool, float]:
        own = compared[candidate.name]
        return not beats(own, compared["baseline"]), own.brier

    return min(candidates, key=rank), compared


def _loss(logits: Numbers, left: NDArray[np.bool_]) -> float:
    """Mean log-loss."""
    return float(-np.mean(np.where(left, log_expit(logits), log_expit(-logits))))


def _ruled_by_one_trait(others: Table, own: Table) -> Numbers:
    """The plain rule for customers without dates: each one's risk by the one trait that tells most of who left among the others."""
    traits = {name.partition("=")[0] for name in others.names}
    rules = [tuple(name for name in others.names if name.partition("=")[0] == trait) for trait in sorted(traits)]
    fitted = [fit_logistic(others.only(columns), None) for columns in rules]
    best = min(fitted, key=lambda rule: _loss(rule.logits(others.only(rule.names).rows), others.left))
    return np.array(expit(best.logits(own.only(best.names).rows)))


def _out_of_fold(judge: Callable[[Table, Table], Numbers], table: Table) -> Numbers:
    """What is said of each line by those who saw no line of its customer: `judge` gets the others and the own.

    Folds go by what is known of customers, not by their names: the same history under other names is folded alike.
    """
    _, first, numbers = np.unique(table.customers, return_index=True, return_inverse=True)
    ranks = np.argsort(np.lexsort(table.rows[first].T))
    folds = np.random.default_rng(SEED).permutation(len(first))[ranks[numbers]] % CHOOSING_FOLDS
    said = np.zeros(len(table.left))
    for fold in range(CHOOSING_FOLDS):
        said[folds == fold] = judge(table.where(folds != fold), table.where(folds == fold))
    return said


def _calibrated_by_others(logits: Numbers, left: NDArray[np.bool_]) -> Numbers:
    """Each customer's risk on maps fitted to customers of nine other folds, the mean over several ways to fold."""
    sums = np.zeros(len(left))
    for repeat in range(REPEATS):
        folds = _folds(left, FOLDS, SEED + repeat)
        for fold in range(FOLDS):
            knots = calibration_knots(logits[folds != fold], left[folds != fold])
            sums[folds == fold] += _risks(logits[folds == fold], knots)
    return sums / REPEATS


def _risks(logits: Numbers, knots: Knots) -> Numbers:
    calibrate = Calibration(knots)
    return np.array([expit(calibrate(float(logit))) for logit in logits])


def _folds(left: NDArray[np.bool_], count: int, seed: int) -> Whole:
    """A fold for each line, with the same share of leavers in all."""
    folds = np.zeros(len(left), dtype=np.int64)
    chance = np.random.default_rng(seed)
    for kind in (False, True):
        lines = np.flatnonzero(left == kind)
        folds[chance.permutation(lines)] = np.arange(len(lines)) % count
    return folds


def _baseline_risks(cut: Cut, population: Population) -> Numbers:
    model = Baseline(population)
    return np.array([model.outlook(profile).risk(cut.at) for profile in cut.profiles])


def _silences(cut: Cut) -> Numbers:
    return np.array([silence_of(profile, cut.at) for profile in cut.profiles])


def silence_rule(silences: Numbers, left: NDArray[np.bool_]) -> Numbers:
    """The plain rule: whoever is silent for longer than a limit is lost. Risks: the shares of leavers beyond it and within.

    It is given the limit that turned out to decide best, and its shares: no limit could have decided better.
    """
    limit = max(np.unique(silences), key=lambda days: float(np.mean((silences > days) == left)))
    beyond = silences > limit
    return np.where(beyond, left[beyond].mean() if beyond.any() else 1.0, left[~beyond].mean())


def _ordered(measured: Metrics, order: Numbers, left: NDArray[np.bool_]) -> Metrics:
    """The measures of order taken from what the risks were made of by a rising map, which changes none within a model."""
    return msgspec.structs.replace(measured, auc=measures.auc(order, left), lift10=measures.lift(order, left))

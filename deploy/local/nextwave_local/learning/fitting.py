"""Fits models to a table, as files that the service reads: logistic by maximum likelihood, trees by LightGBM; and calibration maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
from nextwave_scoring.churn.card import Kind
from nextwave_scoring.churn.features import BASELINE, GROWING, SILENCE
from nextwave_scoring.churn.logistic import Formula, Term
from nextwave_scoring.churn.population import Population, parameters_of
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from nextwave_local.learning.history import InputError
from nextwave_local.learning.table import Table

Numbers = NDArray[np.float64]
RIDGE = 1.0
"""Half the sum of squared weights (of standardised features) counts as much as the log-likelihood of one customer."""
NEWTON_MAX, ENOUGH = 50, 1e-6
"""The weights stand when the residuals along each feature sum up to almost no customer."""
TREES = {
    "objective": "binary", "num_leaves": 6, "learning_rate": 0.08, "min_data_in_leaf": 40, "feature_fraction": 0.8, "lambda_l2": 5.0,
    "verbose": -1, "num_threads": 1, "seed": 1, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
ROUNDS = 50
"""Small trees and few of them: they are walked for every event."""
ISOTONIC_MIN, BLOCK_MIN = 5000, 100
"""Customers from which on a free form of the calibration is better than a line (Niculescu-Mizil & Caruana 2005), and those of a step."""
Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model as its file, and its log-odds for lines of a table with the same columns."""

    kind: Kind
    names: tuple[str, ...]
    file: bytes
    logits: Callable[[Numbers], Numbers]
    ranges: Mapping[str, tuple[float, float]]
    """By feature the lowest and the highest value that was learned from; not of the baseline, which is a formula of its own."""


def fit_logistic(table: Table, population: Population | None) -> Fitted:
    """Weights of what grows with silence are kept from falling below 0, as the service demands."""
    mean, scale = table.rows.mean(0), np.maximum(table.rows.std(0), 1e-9)
    intercept, weights = _line((table.rows - mean) / scale, table)
    terms = tuple(Term(name, float(w), float(m), float(s)) for name, w, m, s in zip(table.names, weights, mean, scale, strict=True))
    parameters = parameters_of(population) if population is not None and BASELINE in table.names else None
    file = msgspec.json.format(msgspec.json.encode(Formula(intercept, terms, parameters)), indent=1)
    ranges = _ranges(table)
    low, high = np.array([ranges.get(name, (-inf, inf)) for name in table.names]).T
    return Fitted("logistic", table.names, file, lambda rows: (np.clip(rows, low, high) - mean) / scale @ weights + intercept, ranges)


def _ranges(table: Table) -> dict[str, tuple[float, float]]:
    found = zip(table.names, table.rows.min(0), table.rows.max(0), strict=True)
    return {name: (float(low), float(high)) for name, low, high in found if name != BASELINE}


def _line(standard: Numbers, table: Table) -> tuple[float, Numbers]:
    """Intercept and weights; none that sinks while a customer is silent."""
    weights = _weights(standard, table.left, np.ones(len(table.names), dtype=bool))
    sinking = [name in GROWING and weight < 0 for name, weight in zip(table.names, weights[1:], strict=True)]
    if any(sinking):
        weights = _weights(standard, table.left, ~np.array(sinking))
    return float(weights[0]), weights[1:]


def _weights(standard: Numbers, left: NDArray[np.bool_], used: NDArray[np.bool_]) -> Numbers:
    """Intercept and weights by Newton's steps, each halved while it makes the fit worse; 0 for what is not used."""
    rows = np.column_stack([np.ones(len(left)), standard * used])
    ridge = RIDGE * np.array([0.0, *np.ones(len(used))])
    weights = np.zeros(rows.shape[1])
    for _ in range(NEWTON_MAX):
        risks = expit(rows @ weights)
        gradient = rows.T @ (risks - left) + ridge * weights
        if np.abs(gradient).max() < ENOUGH:
            break
        spread = np.maximum(risks * (1 - risks), 1e-9)
        step = np.linalg.solve((rows * spread[:, None]).T @ rows + np.diag(ridge), gradient)
        before, share = _loss(rows, left, weights, ridge), 1.0
        while _loss(rows, left, weights - share * step, ridge) > before and share > 1e-6:
            share /= 2
        weights = weights - share * step
    return weights


def _loss(rows: Numbers, left: NDArray[np.bool_], weights: Numbers, ridge: Numbers) -> float:
    logits = rows @ weights
    return float(-np.sum(np.where(left, log_expit(logits), log_expit(-logits))) + (ridge * weights) @ weights / 2)


def fit_trees(table: Table) -> Fitted:
    """The silence may only raise the risk. Raises `InputError` where LightGBM cannot be loaded."""
    lightgbm = _lightgbm()
    monotone = [1 if name == SILENCE else 0 for name in table.names]
    data = lightgbm.Dataset(table.rows, table.left.astype(float), feature_name=[f"f{n}" for n in range(len(table.names))])
    booster = lightgbm.train({**TREES, "monotone_constraints": monotone}, data, ROUNDS)
    text = _renamed(booster.model_to_string(), table.names)

    def logits(rows: Numbers) -> Numbers:
        raw: Numbers = booster.predict(rows, raw_score=True)
        return raw

    return Fitted("lightgbm", table.names, text.encode(), logits, _ranges(table))


def _renamed(text: str, names: Sequence[str]) -> str:
    """Our names in the file's header, percent-encoded: LightGBM takes no colon in a name, and blanks part names. Ends with the trees."""
    ours = "feature_names=" + " ".join(quote(name, safe=":=") for name in names)
    lines = [ours if line.startswith("feature_names=") else line for line in text.splitlines()]
    return "\n".join(lines[: lines.index("end of trees") + 1]) + "\n"


def _lightgbm() -> Any:
    try:
        import lightgbm  # noqa: PLC0415  (slow to load, and wanted for trees alone)
    except (ImportError, OSError) as wrong:
        raise InputError(
            f"LightGBM cannot be loaded ({wrong}): install nextwave-local[learning] and the system's libgomp, or choose --kind logistic"
        ) from wrong
    return lightgbm


def line_of(logits: Numbers, left: NDArray[np.bool_]) -> Knots:
    """The straight calibration line (Platt 1999), as two knots."""
    mean, scale = float(logits.mean()), max(float(logits.std()), 1e-9)
    standard = (logits[:, None] - mean) / scale
    intercept, (slope,) = _line(standard, Table((SILENCE,), standard, left, np.array([], dtype=np.str_)))
    low, high = (intercept + slope * (logit - mean) / scale for logit in (-1.0, 1.0))
    return ((-1.0, float(low)), (1.0, float(max(high, low + 1e-3))))


def calibration_knots(logits: Numbers, left: NDArray[np.bool_]) -> Knots:
    """A line for few customers, rising steps (isotonic regression by pooling, joined by lines) for many."""
    if len(logits) < ISOTONIC_MIN:
        return line_of(logits, left)
    order = np.argsort(logits, kind="stable")
    blocks: list[tuple[float, float, int]] = []
    for part in np.array_split(order, len(order) // BLOCK_MIN):
        blocks.append((float(logits[part].mean()), float(left[part].mean()), len(part)))
        while len(blocks) > 1 and blocks[-2][1] >= blocks[-1][1]:
            blocks[-2:] = [_pooled(*blocks[-2:])]
    knots = [(x, float(np.log((share * count + 0.5) / ((1 - share) * count + 0.5)))) for x, share, count in blocks]
    rising = all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(knots)) and all(isfinite(y) for _, y in knots)
    return tuple(knots) if len(knots) > 1 and rising else line_of(logits, left)


def _pooled(a: tuple[float, float, int], b: tuple[float, float, int]) -> tuple[float, float, int]:
    count = a[2] + b[2]
    return (a[0] * a[2] + b[0] * b[2]) / count, (a[1] * a[2] + b[1] * b[2]) / count, count

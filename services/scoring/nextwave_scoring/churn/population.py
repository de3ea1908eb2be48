"""What is assumed of customers before they show a rhythm of their own, and how much each other sign moves the risk: data, per vertical."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from nextwave_scoring.churn.calibration import NONE, Calibration, calibration_of

MODEL = "baseline-1"
VERTICAL = "shop"
"""The vertical in force where none is named."""
SIGNS = (
    "overdue",
    "open_complaints",
    "repeated_complaints",
    "unsatisfied",
    "falling_activity",
    "abandoned_calls",
    "returns",
    "failed_payments",
    "delays",
    "refusals",
    "low_satisfaction",
    "contract_cancelled",
    "contract_end_near",
)
"""What a population must weigh."""
HORIZON_DAYS_MAX = 3_650
"""No model looks further ahead."""
_POSITIVE = ("horizon_days", "shape", "exposure_days", "leaving_per_day", "feature_max")

_TINY = 1e-9
"""Smaller rates and amounts are no estimate of anything."""
_Amount = Annotated[float, Meta(ge=-1e6, le=1e6)]


class PopulationError(ValueError):
    """The parameters are not usable; the message names the parameter."""


@dataclass(frozen=True, slots=True)
class Population:
    """Parameters of the baseline. Rates per day; weights are log-odds per unit of the feature."""

    source: str
    """Where the numbers come from."""
    horizon_days: int
    shape: float
    """Gamma prior of the rate of coming back: as if this many returns ..."""
    exposure_days: float
    """... had been seen in this many days."""
    leaving_per_day: float
    """Constant chance of leaving for good."""
    spread_weight: float
    """The spread of intervals is shrunk as if this many intervals had been exponential."""
    weights: Mapping[str, float]
    feature_max: float
    """Beyond this a feature moves the risk no further."""
    calibration: Calibration = NONE

    def with_horizon(self, days: int) -> Population:
        """The same customers, looked at further or less far ahead."""
        return replace(self, horizon_days=days)


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A population as a file has it, with the bounds within which every customer's log-odds are finite."""

    source: str
    horizon_days: Annotated[int, Meta(le=HORIZON_DAYS_MAX)]
    shape: _Amount
    exposure_days: _Amount
    leaving_per_day: _Amount
    spread_weight: _Amount
    weights: dict[str, Annotated[float, Meta(ge=-1e3, le=1e3)]]
    feature_max: _Amount
    calibration: tuple[tuple[float, float], ...] = ()


def population_from(parameters: Mapping[str, Any]) -> Population:
    """From a vertical's file or a model's card. Raises `PopulationError`."""
    names = {field.name for field in fields(Population)}
    if unknown := sorted(set(parameters) - names):
        raise PopulationError(f"{unknown[0]} is no parameter of a population: use {', '.join(sorted(names))}")
    if missing := sorted(names - {"calibration"} - set(parameters)):
        raise PopulationError(f"the population has no {missing[0]}")
    try:
        written = msgspec.convert(dict(parameters), _Written)
    except msgspec.ValidationError as wrong:
        raise PopulationError(f"the population: {wrong}") from wrong
    _check(written)
    try:
        return Population(**{**msgspec.structs.asdict(written), "calibration": calibration_of(written.calibration)})
    except ValueError as wrong:
        raise PopulationError(f"calibration: {wrong}") from wrong


def _check(written: _Written) -> None:
    if odd := sorted(set(SIGNS) ^ set(written.weights)):
        raise PopulationError(f"weights.{odd[0]}: a population weighs exactly {', '.join(SIGNS)}")
    if bad := [name for name in _POSITIVE if not getattr(written, name) >= _TINY]:
        raise PopulationError(f"{bad[0]} must be above 0, and at least {_TINY}")
    if written.spread_weight < 0:
        raise PopulationError("spread_weight must not be below 0")
    if bad := [name for name, weight in written.weights.items() if not weight >= 0]:
        raise PopulationError(f"weights.{bad[0]} must not be below 0: a sign never speaks for staying")


def parameters_of(population: Population) -> dict[str, Any]:
    """What `population_from` reads."""
    named = {field.name: getattr(population, field.name) for field in fields(Population)}
    return {**named, "weights": dict(population.weights), "calibration": [list(knot) for knot in population.calibration.knots]}


@cache
def vertical(name: str) -> Population:
    """The population shipped for a vertical. Raises `PopulationError` naming those that there are."""
    shipped = {file.name.removesuffix(".toml"): file for file in files(__package__).joinpath("verticals").iterdir()}
    if name not in shipped:
        raise PopulationError(f"there is no vertical {name!r}: {', '.join(sorted(shipped))} are shipped")
    return population_from(tomllib.loads(shipped[name].read_text()))


DEFAULT = vertical(VERTICAL)

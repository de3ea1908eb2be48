"""A logistic model, read from JSON: a weighted sum of features in log-odds, the baseline's parts among them when it builds on that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from nextwave_contracts.customers import RiskReason

from nextwave_scoring.churn import baseline
from nextwave_scoring.churn.calibration import Calibration
from nextwave_scoring.churn.card import Ranges, Value
from nextwave_scoring.churn.features import BASELINE, FEATURES_MAX, GROWING, SILENCE, each_once, last_of, reader
from nextwave_scoring.churn.logodds import Part, added_up, reasons, risks_without, sigmoid
from nextwave_scoring.churn.population import Population, population_from
from nextwave_scoring.instants import DAY
from nextwave_scoring.profile.record import Profile

Weight = Annotated[float, Meta(ge=-1e6, le=1e6)]
"""Log-odds; with the bounds below no sum of terms leaves the finite numbers."""


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a feature adds: `weight` times its distance from `mean` in units of `scale`, in log-odds."""

    feature: str
    weight: Weight
    mean: Value = 0.0
    scale: Value = 1.0


class Bounded(msgspec.Struct, frozen=True):
    """A term within the values that it was learned from."""

    term: Term
    low: float
    high: float

    def part(self, value: float) -> Part:
        """Tells the value as it is, and counts it within the range."""
        term = self.term
        return term.feature, value, term.weight * (min(max(value, self.low), self.high) - term.mean) / term.scale


_EVERY_VALUE = (-inf, inf)
_EVERYWHERE: Ranges = MappingProxyType({})
SCALE_MIN = 1e-9
"""A smaller unit would make one customer's feature an astronomical number."""


class Formula(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `model.json`. `population` holds the parameters of the baseline when that is a feature."""

    intercept: Weight
    terms: Annotated[tuple[Term, ...], Meta(max_length=FEATURES_MAX)]
    population: dict[str, Any] | None = None


class Outlook(msgspec.Struct, frozen=True):
    """A customer's risk: what is fixed until something happens, and what grows."""

    fixed: tuple[Part, ...]
    intercept: float
    silence: Bounded | None
    last_at: int
    base: baseline.Outlook | None
    stack: float
    """Log-odds by log-odds of the baseline."""
    calibration: Calibration
    horizon_days: int

    def risk(self, at: int) -> float:
        """Probability in 0..1 of not coming back within the horizon."""
        return sigmoid(self.calibration(self._logit(at)))

    def explained(self, at: int) -> tuple[float, tuple[RiskReason, ...]]:
        """The mean customer's part first; a term counts from the mean of what the model learned from."""
        start = self.intercept + (self.stack * self.base.start if self.base else 0.0)
        return self.risk(at), reasons(start, self._parts(at), self.calibration, ("population", float(self.horizon_days)))

    def risk_without(self, at: int) -> dict[str, float]:
        """By feature the risk if it added nothing."""
        return risks_without(self._parts(at), self._logit(at), self.calibration)

    def _logit(self, at: int) -> float:
        logit = self.intercept + sum(part for _, _, part in self.fixed)
        if self.silence:
            logit += self.silence.part(max(at - self.last_at, 0) / DAY)[2]
        return logit + self.stack * self.base.logit(at) if self.base else logit

    def _parts(self, at: int) -> list[Part]:
        """By name: a sign of the baseline may be a term of the model as well."""
        parts = list(self.fixed)
        if self.silence:
            parts.append(self.silence.part(max(at - self.last_at, 0) / DAY))
        if self.base:
            parts += [(name, value, self.stack * logit) for name, value, logit in self.base.parts(at)]
        return added_up(parts)


@dataclass(frozen=True, slots=True)
class Logistic:
    """A model of this kind, ready to judge."""

    name: str
    horizon_days: int
    formula: Formula
    calibration: Calibration
    population: Population | None
    read: Callable[[Profile], list[float]] = field(repr=False)
    """Follows from the features. As a function it would make one model look like another in every process."""
    fixed: tuple[Bounded, ...]
    silence: Bounded | None
    stack: Term | None
    """The baseline's: a formula, not a line, that holds for any silence, so it has no range."""

    @property
    def asks(self) -> tuple[str, ...]:
        """The features that it looks at."""
        return tuple(term.feature for term in self.formula.terms)

    def outlook(self, profile: Profile) -> Outlook:
        """What the profile says of the days to come."""
        stack, shift = self.stack, 0.0
        if stack:
            shift = -stack.weight * stack.mean / stack.scale
        return Outlook(
            fixed=tuple([one.part(value) for one, value in zip(self.fixed, self.read(profile), strict=True)]),
            intercept=self.formula.intercept + shift,
            silence=self.silence,
            last_at=last_of(profile),
            base=baseline.outlook(profile, self.population) if self.population else None,
            stack=stack.weight / stack.scale if stack else 0.0,
            calibration=self.calibration,
            horizon_days=self.horizon_days,
        )


def logistic(name: str, horizon_days: int, file: bytes, calibration: Calibration, ranges: Ranges = _EVERYWHERE) -> Logistic:
    """Reads `model.json`; a feature without a range counts as it is. Raises `ValueError` (msgspec's among them) that says what is wrong."""
    formula = msgspec.json.decode(file, type=Formula)
    each_once([term.feature for term in formula.terms])
    growing = {term.feature: term for term in formula.terms if term.feature in GROWING}
    bounded = {term.feature: Bounded(term, *ranges.get(term.feature, _EVERY_VALUE)) for term in formula.terms if term.feature != BASELINE}
    silence = bounded.pop(SILENCE, None)
    for term in formula.terms:
        if not term.scale >= SCALE_MIN:
            raise ValueError(f"the scale of {term.feature} must be above 0, and at least {SCALE_MIN}")
    if bad := [term.feature for term in growing.values() if not term.weight >= 0]:
        raise ValueError(f"the weight of {bad[0]} must not be below 0: the risk never falls while a customer is silent")
    if (BASELINE in growing) != (formula.population is not None):
        raise ValueError(f"a population belongs to a model with the feature {BASELINE}, and to no other")
    population = population_from(formula.population).with_horizon(horizon_days) if formula.population is not None else None
    fixed, stack = tuple(bounded.values()), growing.get(BASELINE)
    return Logistic(name, horizon_days, formula, calibration, population, reader(tuple(bounded)), fixed, silence, stack)

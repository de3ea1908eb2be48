"""How parts of a risk in log-odds become a probability and reasons that add up to it, the same way for every kind of model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, log, log1p

from nextwave_contracts.customers import RiskReason

from nextwave_scoring.churn.calibration import Calibration

Part = tuple[str, float, float]
"""Feature, its value, what it adds to the log-odds."""
_NEAR = 1e-10
"""Log-odds this near to each other have one slope."""


def sigmoid(logit: float) -> float:
    """The probability of log-odds."""
    if logit >= 0:
        return 1.0 / (1.0 + exp(-logit))
    odds = exp(logit)
    return odds / (1.0 + odds)


def logit_of(probability: float) -> float:
    """The log-odds of a probability, which must be inside 0..1."""
    return log(probability) - log1p(-probability)


def added_up(parts: Iterable[Part]) -> list[Part]:
    """One part per name, in the order of the first ones: what a feature adds in two places is one reason, and goes as one."""
    found: dict[str, Part] = {}
    for name, value, logit in parts:
        found[name] = (name, found[name][1], found[name][2] + logit) if name in found else (name, value, logit)
    return list(found.values())


def reasons(start: float, parts: Sequence[Part], calibration: Calibration, first: tuple[str, float]) -> tuple[RiskReason, ...]:
    """The contributions, `first` (name and value of where everybody starts, at log-odds `start`) in front; they add up to the risk.

    Each part gets its share of the way from the starting risk to the customer's: integrated gradients along the straight line
    (Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", 2017), through the calibration.
    """
    end = start + sum([part[2] for part in parts])
    begin = sigmoid(calibration(start))
    slope = (sigmoid(calibration(end)) - begin) / (end - start) if abs(end - start) > _NEAR else _slope(start, calibration)
    told = [RiskReason(feature=name, value=value, contribution=logit * slope) for name, value, logit in parts]
    return (RiskReason(feature=first[0], value=first[1], contribution=begin), *told)


def risks_without(parts: Iterable[Part], logit: float, calibration: Calibration) -> dict[str, float]:
    """By feature the risk if that added nothing to the log-odds, which are `logit` with all of them."""
    return {name: sigmoid(calibration(logit - part)) for name, _, part in parts}


def _slope(logit: float, calibration: Calibration) -> float:
    """Derivative of the calibrated risk at log-odds."""
    before, after = logit - 1e-4, logit + 1e-4
    return (sigmoid(calibration(after)) - sigmoid(calibration(before))) / (after - before)

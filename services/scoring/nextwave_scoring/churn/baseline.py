"""The transparent baseline: rhythm and silence, moved by what else happened, with every part of the risk named.

Signs other than silence are judged as of the last touchpoint, so between events the risk only rises, and the next review is exact.
"""

from __future__ import annotations

from math import exp

import msgspec
from nextwave_contracts.customers import RiskReason

from nextwave_scoring.churn.population import Population
from nextwave_scoring.churn.rhythm import Rhythm, overdue, rhythm_of, silence_days, silence_logit
from nextwave_scoring.profile import decay, matters
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.satisfaction import is_unsatisfied, satisfaction

CONTENT = 3.5
"""Ratings below this (of 1..5) raise the risk."""
_SIGNALS = {
    "abandoned_calls": "abandoned",
    "returns": "returned",
    "failed_payments": "payment_failed",
    "delays": "delayed",
    "refusals": "refusal",
    "contract_cancelled": "contract_cancelled",
}


class Outlook(msgspec.Struct, frozen=True):
    """The risk as a function of time alone, until something happens: rhythm, and the log-odds that other signs add."""

    rhythm: Rhythm
    signs: tuple[tuple[str, float, float], ...]
    """Feature, value, log-odds."""
    shift: float
    population: Population

    def logit(self, at: int) -> float:
        """Log-odds of the risk at an instant (microseconds); never falls."""
        silence = silence_days(self.rhythm, at)
        own = silence_logit(self.rhythm, silence, self.population)
        return own + self._overdue_logit(silence) + self.shift

    def risk(self, at: int) -> float:
        """Probability in 0..1 of not coming back within the horizon."""
        return sigmoid(self.logit(at))

    def reasons(self, at: int) -> tuple[RiskReason, ...]:
        """What makes up the risk, the population's part first; the contributions add up to the risk.

        The log-odds of each feature get their share of the way from the population's risk to the customer's
        (integrated gradients along the straight line; Sundararajan et al. 2017).
        """
        silence = silence_days(self.rhythm, at)
        start = silence_logit(Rhythm(0, 0.0, 0.0, 0.0, at), 0.0, self.population)
        fresh = silence_logit(self.rhythm, 0.0, self.population)
        own = silence_logit(self.rhythm, silence, self.population)
        late, late_logit = overdue(self.rhythm, silence), self._overdue_logit(silence)
        parts = [
            ("rhythm", self.rhythm.interval_days or self.rhythm.watched_days, fresh - start),
            ("silence", silence, own - fresh),
            *([("overdue", late, late_logit)] if late else []),
            *self.signs,
        ]
        slope = _mean_slope(start, own + late_logit + self.shift)
        population = RiskReason(feature="population", value=float(self.population.horizon_days), contribution=sigmoid(start))
        return (population, *(RiskReason(feature=name, value=value, contribution=logit * slope) for name, value, logit in parts))

    def _overdue_logit(self, silence: float) -> float:
        return self.population.weights["overdue"] * min(overdue(self.rhythm, silence), self.population.feature_max)


def outlook(profile: Profile, population: Population) -> Outlook:
    """What the profile says of the days to come."""
    rhythm = rhythm_of(profile.visits, profile.active_at or profile.first_at, population)
    signs = tuple(
        (name, value, population.weights[name] * min(value, population.feature_max))
        for name, value in _features(profile).items()
        if value > 0
    )
    return Outlook(rhythm, signs, sum(logit for _, _, logit in signs), population)


def sigmoid(logit: float) -> float:
    """The probability of log-odds."""
    if logit >= 0:
        return 1.0 / (1.0 + exp(-logit))
    odds = exp(logit)
    return odds / (1.0 + odds)


def _features(profile: Profile) -> dict[str, float]:
    counts, landmark, at = profile.counts, profile.landmark, profile.last_at
    features = {name: decay.read(counts, landmark, key, span=2, at=at) for name, key in _SIGNALS.items() if key in counts}  # 90 days
    if "complaint" in counts:
        features["open_complaints"] = float(len(matters.open_of(profile.matters, matters.COMPLAINT)))
        features["repeated_complaints"] = decay.read(counts, landmark, "complaint", span=2, at=at) - 1.0
    if is_unsatisfied(profile):
        features["unsatisfied"] = 1.0
    rating = satisfaction(profile)
    if rating is not None:
        features["low_satisfaction"] = CONTENT - rating
    features["falling_activity"] = _falling(profile)
    return features


def _falling(profile: Profile) -> float:
    """Active days of the newest 30 against the mean of the two months before: 0 (not fewer) .. almost 1 (stopped), shrunk when few."""
    newest, before = profile.visits.within(0, 30), profile.visits.within(30, 60) / 2.0
    return max(0.0, (before - newest) / (before + 1.0))


def _mean_slope(start: float, end: float) -> float:
    """Mean derivative of the sigmoid between two log-odds."""
    if abs(end - start) > 1e-6:
        return (sigmoid(end) - sigmoid(start)) / (end - start)
    middle = sigmoid((start + end) / 2.0)
    return middle * (1.0 - middle)

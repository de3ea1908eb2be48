"""The transparent baseline: rhythm and silence, moved by what else happened, with every part of the risk named.

Signs other than silence are judged as of the last touchpoint, so between events the risk only rises, and the next review is exact.
"""

from __future__ import annotations

import msgspec
from nextwave_contracts.customers import RiskReason

from nextwave_scoring.churn.logodds import Part, reasons, risks_without, sigmoid
from nextwave_scoring.churn.population import MODEL, Population
from nextwave_scoring.churn.rhythm import Rhythm, overdue, rhythm_of, silence_days, silence_logit, start_logit
from nextwave_scoring.instants import DAY
from nextwave_scoring.profile import decay, matters
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.satisfaction import is_unsatisfied, satisfaction

CONTENT = 3.5
"""Ratings below this (of 1..5) raise the risk."""
ENDING = 60 * DAY
"""The end of a contract is near from this long before it (microseconds)."""
_QUARTER = 2
"""Index of the 90-day span of decayed counts."""
_SIGNALS = {
    "abandoned": "abandoned_calls",
    "returned": "returns",
    "payment_failed": "failed_payments",
    "delayed": "delays",
    "refusal": "refusals",
    "contract_cancelled": "contract_cancelled",
}
"""By the key under which it is counted, the feature."""


class Baseline(msgspec.Struct, frozen=True):
    """The shipped model over one population."""

    population: Population
    name: str = MODEL

    @property
    def horizon_days(self) -> int:
        """How far the risk looks ahead."""
        return self.population.horizon_days

    @property
    def asks(self) -> tuple[str, ...]:
        """The features that it looks at."""
        return ("rhythm", "silence", *self.population.weights)

    def outlook(self, profile: Profile) -> Outlook:
        """What the profile says of the days to come."""
        return outlook(profile, self.population)


class Outlook(msgspec.Struct, frozen=True):
    """The risk as a function of time alone, until something happens: rhythm, and the log-odds that other signs add."""

    rhythm: Rhythm
    signs: tuple[Part, ...]
    shift: float
    population: Population
    ends_at: int = 0
    """When the last contract ends (microseconds), 0 for none."""

    def logit(self, at: int) -> float:
        """Log-odds of the risk at an instant (microseconds), before calibration; never falls.

        To the last bit what `parts` add up to: the search for a review asks this a dozen times.
        """
        rhythm, population = self.rhythm, self.population
        silence = silence_days(rhythm, at)
        grown = silence_logit(rhythm, silence, population)
        if rhythm.spread_days and silence > rhythm.interval_days:
            grown += population.weights["overdue"] * min(overdue(rhythm, silence), population.feature_max)
        if self.ends_at:
            grown += population.weights["contract_end_near"] * nearness(self.ends_at, at)
        return grown + self.shift

    def risk(self, at: int) -> float:
        """Probability in 0..1 of not coming back within the horizon."""
        return sigmoid(self.population.calibration(self.logit(at)))

    def explained(self, at: int) -> tuple[float, tuple[RiskReason, ...]]:
        """The risk, and what makes it up, the population's part first; the contributions add up to the risk."""
        population, start, growing = self.population, self.start, self._growing(at)
        silence, late, ending = growing
        logit = silence[2] + late[2] + ending[2] + self.shift
        first = ("population", float(population.horizon_days))
        told = reasons(start, self._parts(growing, start), population.calibration, first)
        return sigmoid(population.calibration(logit)), told

    def risk_without(self, at: int) -> dict[str, float]:
        """By feature the risk if it added nothing."""
        return risks_without(self.parts(at), self.logit(at), self.population.calibration)

    @property
    def start(self) -> float:
        """Log-odds of a customer of whom nothing is known but that they were just here."""
        return start_logit(self.population)

    def parts(self, at: int) -> list[Part]:
        """What lies between the population's log-odds and the customer's."""
        return self._parts(self._growing(at), self.start)

    def _growing(self, at: int) -> tuple[Part, Part, Part]:
        """What changes while nothing happens, each from nothing: the silence with the rhythm, what is overdue, the contract's end."""
        rhythm, population = self.rhythm, self.population
        silence = silence_days(rhythm, at)
        own = silence_logit(rhythm, silence, population)
        late = overdue(rhythm, silence) if rhythm.spread_days else 0.0
        near = nearness(self.ends_at, at) if self.ends_at else 0.0
        return (
            ("silence", silence, own),
            ("overdue", late, population.weights["overdue"] * min(late, population.feature_max) if late else 0.0),
            ("contract_end_near", near, population.weights["contract_end_near"] * near if near else 0.0),
        )

    def _parts(self, growing: tuple[Part, Part, Part], start: float) -> list[Part]:
        rhythm, ((name, silence, own), late, ending) = self.rhythm, growing
        fresh = silence_logit(rhythm, 0.0, self.population) if silence else own
        found = [("rhythm", rhythm.interval_days or rhythm.watched_days, fresh - start), (name, silence, own - fresh)]
        if late[2]:
            found.append(late)
        if ending[2]:
            found.append(ending)
        found += self.signs
        return found


def outlook(profile: Profile, population: Population) -> Outlook:
    """What the profile says of the days to come."""
    rhythm = rhythm_of(profile.visits, profile.active_at or profile.first_at, population)
    weights, most = population.weights, population.feature_max
    found = signs_of(profile)
    signs = [(name, value, weights[name] * min(value, most)) for name, value in found.items() if value > 0 and weights[name] > 0]
    return Outlook(rhythm, tuple(signs), sum([logit for _, _, logit in signs]), population, end_of_contracts(profile))


def end_of_contracts(profile: Profile) -> int:
    """When the last contract ends that is not cancelled and not renewed since its end was told (microseconds), 0 for none."""
    if not profile.contracts:
        return 0
    running = (
        contract for contract in profile.contracts.values() if contract.cancelled_at <= max(contract.renewed_at, contract.started_at)
    )
    return max((contract.ends_at for contract in running if contract.ends_told_at >= contract.renewed_at), default=0)


def nearness(ends_at: int, at: int) -> float:
    """How near the end of the contract is: 0 until two months before, 1 from the end on, so that it only rises."""
    return min(max((at - ends_at) / ENDING + 1.0, 0.0), 1.0)


def counted_until(profile: Profile) -> int:
    """The instant as of which counts are read: the last touchpoint, or the newest day of an outcome where that is later (microseconds)."""
    return max(profile.last_at, profile.landmark * DAY)


def signs_of(profile: Profile) -> dict[str, float]:
    """What else speaks for leaving, as of the last touchpoint: by feature, 0 or below for nothing."""
    counts = profile.counts
    fading = decay.fading(profile.landmark, span=_QUARTER, at=counted_until(profile))
    features = {_SIGNALS[key]: decay.faded(counts[key], _QUARTER) * fading for key in _SIGNALS if key in counts}
    if "complaint" in counts:
        features["open_complaints"] = float(matters.count_open(profile.matters, matters.COMPLAINT))
        features["repeated_complaints"] = decay.faded(counts["complaint"], _QUARTER) * fading - 1.0
    if is_unsatisfied(profile):
        features["unsatisfied"] = 1.0
    rating = satisfaction(profile)
    if rating is not None:
        features["low_satisfaction"] = CONTENT - rating
    features["falling_activity"] = _falling(profile)
    return features


def _falling(profile: Profile) -> float:
    """Active days of the newest 30 against the mean of the two months before: 0 (not fewer) .. almost 1 (stopped), shrunk when few."""
    before = profile.visits.within(30, 60) / 2.0
    return max(0.0, (before - profile.visits.within(0, 30)) / (before + 1.0)) if before else 0.0

"""A model of boosted trees: over silence its risk is a staircase, laid out once per customer; its reasons are what each feature changes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

from nextwave_contracts.customers import RiskReason

from nextwave_scoring.churn.calibration import Calibration
from nextwave_scoring.churn.features import BASELINE, SILENCE, last_of, reader
from nextwave_scoring.churn.logodds import Part, reasons, risks_without, sigmoid
from nextwave_scoring.churn.monotone import rises_along
from nextwave_scoring.churn.trees import Trees, asked, mean, read_trees, steps, total, without
from nextwave_scoring.instants import DAY
from nextwave_scoring.profile.record import Profile

TOGETHER = "together"
"""What features do only jointly: the rest that makes the reasons add up."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A customer's risk: the staircase over the days of silence, and what the reasons are read from."""

    model: Boosted
    values: tuple[float, ...]
    """The features in the model's order; the silence's place is not used."""
    last_at: int
    beyond: tuple[float, ...]
    """Days of silence beyond which the log-odds beside it hold."""
    logits: tuple[float, ...]

    def risk(self, at: int) -> float:
        """Probability in 0..1 of not coming back within the horizon."""
        return sigmoid(self.model.calibration(self._logit(at)))

    def explained(self, at: int) -> tuple[float, tuple[RiskReason, ...]]:
        """The mean of the cases that were learned from first; then what each feature changes, all others as they are; then the rest."""
        first = ("population", float(self.model.horizon_days))
        return self.risk(at), reasons(self.model.start, self._parts(at), self.model.calibration, first)

    def risk_without(self, at: int) -> dict[str, float]:
        """By feature the risk if it were not known."""
        return risks_without(self._parts(at), self._logit(at), self.model.calibration)

    def _logit(self, at: int) -> float:
        return self.logits[max(bisect_left(self.beyond, self._silence(at)) - 1, 0)]

    def _silence(self, at: int) -> float:
        return max(at - self.last_at, 0) / DAY

    def _parts(self, at: int) -> list[Part]:
        trees, values = self.model.trees, self.model.with_silence(self.values, self._silence(at))
        effects: dict[int, float] = {}
        for root in trees.roots:
            whole = total((root,), values)
            for feature in asked(root, values):
                effects[feature] = effects.get(feature, 0.0) + whole - without(root, values, feature)
        rest = self._logit(at) - self.model.start - sum(effects.values())
        told = [(trees.features[index], values[index], logit) for index, logit in sorted(effects.items()) if logit]
        return [*told, (TOGETHER, 0.0, rest)]


@dataclass(frozen=True, slots=True)
class Boosted:
    """A model of this kind, ready to judge."""

    name: str
    horizon_days: int
    trees: Trees
    calibration: Calibration
    read: Callable[[Profile], list[float]] = field(repr=False)
    """Follows from the features. As a function it would make one model look like another in every process."""
    silence: int
    """The silence's place among the features, -1 when it is none."""
    start: float

    @property
    def asks(self) -> tuple[str, ...]:
        """The features that it looks at."""
        return self.trees.features

    def outlook(self, profile: Profile) -> Outlook:
        """What the profile says of the days to come."""
        values = tuple(self.read(profile))
        jumps: dict[float, float] = {}
        for root in self.trees.roots:
            before = 0.0
            for beyond, logit in steps(root, values, self.silence):
                jumps[beyond] = jumps.get(beyond, 0.0) + logit - before
                before = logit
        places = tuple(sorted(jumps))
        logits = accumulate(accumulate(jumps[place] for place in places), max)  # rounding must not let it fall
        return Outlook(self, values, last_of(profile), places, tuple(logits))

    def with_silence(self, values: tuple[float, ...], silence: float) -> tuple[float, ...]:
        """The features at a time of silence (days)."""
        return values if self.silence < 0 else (*values[: self.silence], silence, *values[self.silence + 1 :])


def boosted(name: str, horizon_days: int, file: bytes, calibration: Calibration) -> Boosted:
    """Reads `model.txt`. Raises `ValueError` (`TreesError` and `UnknownFeatureError` among them) that says what is wrong."""
    trees = read_trees(file.decode())
    if BASELINE in trees.features:
        raise ValueError(f"{BASELINE} is a feature of logistic models only")
    silence = trees.features.index(SILENCE) if SILENCE in trees.features else -1
    if not all(rises_along(root, silence) for root in trees.roots):
        raise ValueError(f"a tree falls along {SILENCE}, which needs the monotone constraint 1: the risk never falls in silence")
    return Boosted(name, horizon_days, trees, calibration, reader(trees.features), silence, sum(mean(root) for root in trees.roots))

"""Fits the baseline's population to one's own customers: three averages, by what came next inside the learning window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from nextwave_scoring.churn.features import last_of
from nextwave_scoring.churn.population import Population
from nextwave_scoring.churn.rhythm import rhythm_of, silence_days
from numpy.typing import NDArray
from scipy.optimize import minimize

from nextwave_local.learning.windows import Cut

Numbers = NDArray[np.float64]
_START = (0.5, 0.5, 0.3)
"""Shape; exposure and time to leaving in units of the window where the search begins."""
_FARTHEST = 200.0
"""Customers who are all alike, or who never leave, would be fitted best without end: no further than so many times the start."""


def population_of(cuts: Sequence[Cut], like: Population, source: str) -> Population:
    """`like` with shape, exposure and leaving that fit the cuts best (mean log-likelihood, each cut weighing the same).

    The signs' weights stay, but for overdue and falling activity, which say the same as the silence and were not fitted with it.
    """
    sights = [_Sight.of(cut, like) for cut in cuts]
    window = max(float(sight.watched.max() + sight.silence.max()) for sight in sights)
    start = np.log([_START[0], _START[1] * window, 1 / (_START[2] * window * 10)])
    bounds = [(at - np.log(_FARTHEST), at + np.log(_FARTHEST)) for at in start]
    found = minimize(lambda logs: sum(sight.surprise(np.exp(logs)) for sight in sights), start, method="Nelder-Mead", bounds=bounds)
    shape, exposure, leaving = (float(f"{value:.4g}") for value in np.exp(found.x))
    weights = {**like.weights, "overdue": 0.0, "falling_activity": 0.0}
    return replace(like, source=source, shape=shape, exposure_days=exposure, leaving_per_day=leaving, weights=weights)


class _Sight:
    """A cut as arrays: what the formula of `churn.rhythm` needs of every customer."""

    def __init__(self, comebacks: Numbers, watched: Numbers, silence: Numbers, cut: Cut) -> None:
        self.watched, self.silence = watched, silence
        self._comebacks, self._horizon = comebacks, cut.horizon_days
        self._left = np.array(cut.left)

    @classmethod
    def of(cls, cut: Cut, like: Population) -> _Sight:
        rhythms = [rhythm_of(profile.visits, last_of(profile), like) for profile in cut.profiles]
        rows = np.array([(rhythm.returns, rhythm.watched_days, silence_days(rhythm, cut.at)) for rhythm in rhythms], dtype=float)
        return cls(rows[:, 0], rows[:, 1], rows[:, 2], cut)

    def surprise(self, parameters: Numbers) -> float:
        """Mean negative log-likelihood of who came back."""
        shape, exposure, leaving = parameters
        rate = (shape + self._comebacks) / (exposure + self.watched + self.silence)
        either = rate + leaving
        stayed = np.exp(-either * self.silence)
        gone = -leaving * np.expm1(-either * self.silence)
        back = either * stayed / (gone + either * stayed) * rate / either * -np.expm1(-either * self._horizon)
        sure = np.clip(back, 1e-12, 1 - 1e-12)
        return float(-np.mean(np.where(self._left, np.log1p(-sure), np.log(sure))))

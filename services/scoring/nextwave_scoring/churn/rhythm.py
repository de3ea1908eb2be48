"""The hazard of a customer's own rhythm: their rate of coming back, shrunk to the population's, against the present silence.

Returns come with rate l while the customer stays, and they leave with a constant rate m (so BG/NBD's certainty about one-time customers
does not arise). With l = (shape + returns) / (exposure + days watched), k = l + m and a silence s, the odds of having left are
m (1 - e^-ks) : k e^-ks, and somebody who stayed comes back within h with l/k (1 - e^-kh).
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, expm1, log, log1p, sqrt

import msgspec

from nextwave_scoring.churn.population import Population
from nextwave_scoring.instants import DAY
from nextwave_scoring.profile.days import Days

INTERVALS_MIN = 3
"""Fewer intervals say nothing about their spread."""

_SURE = 1.0 - 1e-15
"""Nobody is surer than this to come back: with a rate far above that of leaving, rounding would make it 1, which has no log-odds."""


class Rhythm(msgspec.Struct, frozen=True):
    """What the days of activity say, without the present silence."""

    returns: int
    watched_days: float
    interval_days: float
    spread_days: float
    last_at: int


def rhythm_of(days: Days, last_at: int, population: Population) -> Rhythm:
    """From the days with a meaningful touchpoint and the instant of the last one (microseconds)."""
    returns, span = max(days.count - 1, 0), days.span
    if returns < INTERVALS_MIN:
        return Rhythm(returns, float(span), 0.0, 0.0, last_at)
    mean, gaps = span / returns, days.gaps()
    squares = sum([(gap - mean) ** 2 for gap in gaps])
    own = population.spread_weight
    return Rhythm(returns, float(span), mean, sqrt((squares + own * mean * mean) / (returns + own)), last_at)


def silence_days(rhythm: Rhythm, at: int) -> float:
    """Days since the last meaningful touchpoint."""
    return max(at - rhythm.last_at, 0) / DAY


def silence_logit(rhythm: Rhythm, silence: float, population: Population) -> float:
    """Log-odds of not coming back within the horizon, by rhythm and silence (days) alone. Never falls while the silence grows."""
    rate = (population.shape + rhythm.returns) / (population.exposure_days + rhythm.watched_days + silence)
    return _logit(rate, population.leaving_per_day, silence, population.horizon_days)


def start_logit(population: Population) -> float:
    """Log-odds of a customer of whom nothing is known but that they were just here."""
    return _start(population.shape / population.exposure_days, population.leaving_per_day, population.horizon_days)


@lru_cache(maxsize=64)
def _start(rate: float, leaving: float, horizon_days: int) -> float:
    """Where everybody starts is asked of everybody."""
    return _logit(rate, leaving, 0.0, horizon_days)


def _logit(rate: float, leaving: float, silence: float, horizon_days: int) -> float:
    """The formulas above; l is `rate`, m is `leaving`, k is `either`."""
    either = rate + leaving
    ks = either * silence
    stayed = either * exp(-ks)
    gone = -leaving * expm1(-ks)
    back = stayed / (gone + stayed) * rate / either * -expm1(-either * horizon_days)
    back = min(back, _SURE)
    return log1p(-back) - log(back) if back > 1e-300 else 690.0


def overdue(rhythm: Rhythm, silence: float) -> float:
    """By how many spreads the silence exceeds the mean interval; 0 while too little is known."""
    return max(0.0, (silence - rhythm.interval_days) / rhythm.spread_days) if rhythm.spread_days else 0.0

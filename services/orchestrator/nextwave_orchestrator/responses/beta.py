"""The beta distribution, as far as an interval of a share needs it: services carry no scipy."""

from __future__ import annotations

from functools import lru_cache
from math import exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist

_TINY = 1e-300
_ENOUGH = 1e-12
_TERMS_MAX = 10_000
_STEPS_MAX = 100
_STEP_MIN = 1e-5
"""Relative: a step of Newton's squares the error."""
_NORMAL = NormalDist()
_TAIL = 0.025


@lru_cache(maxsize=16_384)
def interval(a: float, b: float) -> tuple[float, float]:
    """The central 95 % of Beta(a, b), both above 0: with 2.5 % below and 2.5 % above."""
    return quantile(a, b, _TAIL), quantile(a, b, 1 - _TAIL)


def quantile(a: float, b: float, share: float) -> float:
    """The x in 0..1 with `cumulative(a, b, x) == share`: Newton's steps, halving the bracket where one would leave it.

    It begins at the normal distribution's quantile of the same mean and variance.
    """
    low, high, mean = 0.0, 1.0, a / (a + b)
    x = mean + sqrt(mean * (1 - mean) / (a + b + 1)) * _NORMAL.inv_cdf(share)
    x = x if 0 < x < 1 else mean / 2 if x <= 0 else (1 + mean) / 2
    for _ in range(_STEPS_MAX):
        over = cumulative(a, b, x) - share
        if over == 0:
            break
        low, high = (low, x) if over > 0 else (x, high)
        slope = _density(a, b, x)
        following = x - over / slope if slope > 0 else -1.0
        if not low < following < high:
            x = (low + high) / 2
        elif abs(following - x) <= _STEP_MIN * min(x, 1 - x):
            return following
        else:
            x = following
    return x


def cumulative(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22), on the side where it is short."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - cumulative(b, a, 1 - x)
    return exp(_log_density(a, b, x) + log(x) + log1p(-x)) / a * _fraction(a, b, x)


def _density(a: float, b: float, x: float) -> float:
    return exp(_log_density(a, b, x)) if 0 < x < 1 else 0.0


def _log_density(a: float, b: float, x: float) -> float:
    return lgamma(a + b) - lgamma(a) - lgamma(b) + (a - 1) * log(x) + (b - 1) * log1p(-x)


def _fraction(a: float, b: float, x: float) -> float:
    """1 / (1 + d1 / (1 + d2 / (1 + ...))) by the modified method of Lentz."""
    value, lower, upper = 1.0, 1.0, inf
    for n in range(1, _TERMS_MAX):
        term = _term(a, b, x, n)
        lower = 1 / _apart(1 + term * lower)
        upper = _apart(1 + term / upper)
        value *= lower * upper
        if abs(lower * upper - 1) < _ENOUGH:
            break
    return value


def _term(a: float, b: float, x: float, n: int) -> float:
    m = n // 2
    if n % 2:
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))


def _apart(value: float) -> float:
    """Away from 0, by which is divided."""
    return value if abs(value) > _TINY else _TINY

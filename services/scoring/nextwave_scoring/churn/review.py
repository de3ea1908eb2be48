"""The exact next instant at which a customer's band would change with no new event, so that silence is noticed when it matters."""

from __future__ import annotations

from nextwave_contracts.customers import Band

from nextwave_scoring.churn.bands import STAY, ceiling, lower_band, next_band
from nextwave_scoring.churn.outlook import Outlook
from nextwave_scoring.instants import DAY

_SECANTS_MAX = 24
"""Steps by false position; then halving brings it to an end."""
AHEAD = 180 * DAY
"""No review is planned further ahead than this (microseconds); then it is looked at again."""


def changes_by(outlook: Outlook, band: Band, since: int, at: int, end: int) -> bool:
    """Whether a band that is right at `at` changes up to `end` by silence alone. The risk never falls, so a few instants tell."""
    if next_band(band, since, outlook.risk(end), end) != band:
        return True
    freed = since + STAY
    return at < freed <= end and lower_band(band, outlook.risk(freed)) != band


def next_review(outlook: Outlook, band: Band, since: int, at: int) -> int | None:
    """The first instant after `at` (microseconds) with another band, or `at + AHEAD` when there is none before; None when never."""
    freed = since + STAY
    falls = freed > at and lower_band(band, outlook.risk(freed)) != band
    threshold = ceiling(band)
    if threshold is None:
        return freed if falls else None
    limit = freed if falls else at + AHEAD
    if outlook.risk(limit) < threshold:
        return limit
    return _first_at(outlook, threshold, at, limit)


def reached(outlook: Outlook, threshold: float, low: int, high: int) -> int:
    """The first instant from `low` on at which the risk is not below the threshold, which it is not at `high`."""
    return low if outlook.risk(low) >= threshold else _first_at(outlook, threshold, low, high)


def _first_at(outlook: Outlook, threshold: float, low: int, high: int) -> int:
    """The first microsecond at which the risk reaches the threshold: below it at `low`, not below it at `high`.

    By false position (the Illinois rule: an end that stays twice counts half), and by halving where that takes long, as at a step.
    """
    risk = outlook.risk
    gaps, step, moved = [risk(low) - threshold, risk(high) - threshold], 0, -1
    while high - low > 1:
        step += 1
        is_secant = step <= _SECANTS_MAX and gaps[0] < gaps[1]
        guess = low + int((high - low) * (gaps[0] / (gaps[0] - gaps[1]))) if is_secant else (low + high) // 2
        guess = min(max(guess, low + 1), high - 1)
        gap = risk(guess) - threshold
        end = int(gap >= 0.0)
        low, high = (low, guess) if end else (guess, high)
        gaps[end] = gap
        if moved == end:
            gaps[1 - end] /= 2.0
        moved = end
    return high

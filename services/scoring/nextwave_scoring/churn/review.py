"""The exact next instant at which a customer's band would change with no new event, so that silence is noticed when it matters."""

from __future__ import annotations

from nextwave_contracts.customers import Band

from nextwave_scoring.churn.bands import STAY, ceiling, lower_band, next_band
from nextwave_scoring.churn.baseline import Outlook
from nextwave_scoring.instants import DAY

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


def _first_at(outlook: Outlook, threshold: float, low: int, high: int) -> int:
    """The first microsecond at which the risk reaches the threshold: below it at `low`, not below it at `high`."""
    while high - low > 1:
        middle = (low + high) // 2
        if outlook.risk(middle) < threshold:
            low = middle
        else:
            high = middle
    return high

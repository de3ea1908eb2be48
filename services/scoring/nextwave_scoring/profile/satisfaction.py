"""How content the customer is: their decayed mean rating, and whether something was left unsatisfied."""

from __future__ import annotations

from nextwave_scoring.profile import decay, matters
from nextwave_scoring.profile.record import Profile

RATING = 100
"""A rating of 1 is kept as so much."""
_QUARTER = 2
"""Index of the 90-day span."""


def satisfaction(profile: Profile) -> float | None:
    """Mean of the ratings 1..5, recent ones weighing more; None without a rating."""
    rated = profile.counts.get("rated")
    if rated is None:
        return None
    count = decay.faded(rated, _QUARTER)
    return decay.faded(profile.counts["rating"], _QUARTER) / count / RATING if count else None


def is_unsatisfied(profile: Profile) -> bool:
    """A complaint was closed without satisfaction and nothing good came since, or a service request is open."""
    soured = bool(profile.soured_at) and profile.soured_at >= profile.soothed_at
    return soured or matters.count_open(profile.matters, matters.SERVICE) > 0

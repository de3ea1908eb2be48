"""Where the relationship stands, from volume, growth and regularity of orders, and from the band of the risk."""

from __future__ import annotations

from nextwave_contracts.customers import Band, Stage

from nextwave_scoring.profile.days import Days
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.satisfaction import is_unsatisfied

FORMED_ORDERS = 2
FORMED_VISITS = 3
"""From so many orders or active days on there is a relationship that can decline."""
STABLE_ORDERS = 5
"""From so many orders on, if they are neither growing nor falling fast, a relationship is stable."""
STEP_DAYS = 45
"""Growth compares the newest span of this length with the one before."""


def stage(profile: Profile, band: Band) -> Stage:
    """Exploration (few, small), formation (growing), stability (many and regular), decline (falling, leaving, or left unsatisfied)."""
    orders = profile.purchases.count
    if orders < FORMED_ORDERS and profile.visits.count < FORMED_VISITS:
        return "exploration"
    if band in {"high", "lost"} or (band == "elevated" and is_unsatisfied(profile)) or _falls(profile.purchases):
        return "decline"
    if orders < FORMED_ORDERS:
        return "exploration"
    return "stability" if orders >= STABLE_ORDERS and _is_regular(profile.purchases) else "formation"


def _falls(purchases: Days) -> bool:
    """Less than half as many order days as before, of at least four."""
    before = purchases.within(STEP_DAYS, STEP_DAYS)
    return before >= 4 and purchases.within(0, STEP_DAYS) * 2 < before


def _is_regular(purchases: Days) -> bool:
    """Intervals spread by no more than their mean (as random ones do)."""
    gaps = purchases.gaps()
    mean = sum(gaps) / len(gaps)
    return sum((gap - mean) ** 2 for gap in gaps) <= len(gaps) * mean * mean

"""What a profile says of a customer's trade with us, reduced to the few numbers that values are made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from nextwave_scoring.earnings import Earnings, earnings
from nextwave_scoring.instants import DAY
from nextwave_scoring.profile import decay
from nextwave_scoring.profile.days import WINDOW_DAYS, Days
from nextwave_scoring.profile.decay import Counts
from nextwave_scoring.value.assumptions import Economics

YEAR_DAYS = 365
PACE_PRIOR_DAYS = 4.0
"""The pace is shrunk as if so many more order days had come evenly."""
_QUARTER = 2
"""Index of the 90-day span of decayed counts."""
_QUARTER_DAYS = decay.SPANS_DAYS[_QUARTER]
_SERVED = ("phone", "service")


class Traded(Protocol):
    """The part of a profile that is read here."""

    first_at: int
    active_at: int
    landmark: int
    counts: Counts
    visits: Days
    purchases: Days
    converted: list[int]
    categories: dict[str, list[int]]
    referrals: int
    contact_costs: int


class Trade(msgspec.Struct, frozen=True):
    """Money in minor units of the house currency."""

    earned: Earnings = Earnings()
    watched_days: float = 0.0
    """From the first touchpoint to the last meaningful one. The silence since is the risk's matter."""
    pace: float = 1.0
    """Order days of the newest year against what the newest two years make one expect: above 1 speeding up, below 1 slowing down."""
    interest_per_day: float = 0.0
    """Days on which the customer came and did not order, per day watched, within the newest two years."""
    served_per_day: float = 0.0
    """Phone and service touchpoints per day, recent ones weighing more."""
    contact_costs: int = 0
    """What our contacts have cost so far."""
    categories: frozenset[str] = frozenset()
    referrals: int = 0


def trade_of(profile: Traded, at: int, economics: Economics) -> Trade:
    """The customer's trade as of `at` (microseconds)."""
    watched = max(profile.active_at - profile.first_at, 0) / DAY
    served = sum([decay.read(profile.counts, profile.landmark, key, span=_QUARTER, at=at) for key in _SERVED])
    idle = max(profile.visits.count - profile.purchases.count, 0)
    return Trade(
        earned=earnings(profile.converted, economics.margin),
        watched_days=watched,
        pace=pace_of(profile.purchases, profile.active_at // DAY, watched),
        interest_per_day=idle / (economics.exposure_prior_days + min(watched, WINDOW_DAYS)),
        served_per_day=served / _QUARTER_DAYS,
        contact_costs=profile.contact_costs,
        categories=frozenset(profile.categories),
        referrals=profile.referrals,
    )


def pace_of(purchases: Days, active_day: int, watched_days: float) -> float:
    """How the newest year compares with the newest two, up to the last active day; 1 while less than a year is known."""
    if watched_days <= YEAR_DAYS:
        return 1.0
    expected = _until(purchases, active_day, WINDOW_DAYS) * YEAR_DAYS / min(watched_days, WINDOW_DAYS)
    return (_until(purchases, active_day, YEAR_DAYS) + PACE_PRIOR_DAYS) / (expected + PACE_PRIOR_DAYS)


def unbought(on_offer: Sequence[str], bought: Collection[str]) -> tuple[str, ...]:
    """The categories on offer that the customer has not bought from, in the order of the offer."""
    return tuple([category for category in on_offer if category not in bought]) if on_offer else ()


def _until(purchases: Days, active_day: int, length: int) -> int:
    """Order days among the `length` days that end with the last active one."""
    idle = max(active_day - purchases.newest, 0)
    return purchases.within(0, max(length - idle, 0))

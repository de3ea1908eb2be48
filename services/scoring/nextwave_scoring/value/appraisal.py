"""From a customer's trade to money over the horizon, each part by itself, so that an analyst sees the sum.

Risk is read with prudence: it takes away from what we hope to earn, never from what we expect to spend. Costs fade by themselves
once a customer is quiet. So a higher risk never raises a value, not even that of a customer we lose money on.
"""

from __future__ import annotations

from functools import lru_cache
from math import expm1

import msgspec
from nextwave_contracts.customers import Stage

from nextwave_scoring.profile.bounds import SUM_MAX
from nextwave_scoring.value.assumptions import Economics
from nextwave_scoring.value.trade import YEAR_DAYS, Trade, unbought


class Worth(msgspec.Struct, frozen=True):
    """Value over the horizon in its parts; minor units of the house currency, as of the instant of the trade."""

    margin: int = 0
    """Discounted expected margin if behaviour stays as it is."""
    service_cost: int = 0
    """Expected cost of calls and service."""
    contact_cost: int = 0
    """Expected cost of our contacts."""
    up_buying: int = 0
    """More of what is bought already: further orders, up to the customer's wallet."""
    cross_buying: int = 0
    """Categories that are not bought yet."""
    referrals: int = 0
    """Customers that may come by recommendation."""
    share_of_wallet: float | None = None
    """Part (0..1) of the customer's yearly spending that comes to us; None while the wallet is not known."""
    unbought: tuple[str, ...] = ()
    """The categories that cross-buying is about."""

    @property
    def current(self) -> int:
        """Current value."""
        return self.margin - self.service_cost - self.contact_cost

    @property
    def potential(self) -> int:
        """Potential value, on top of the current one."""
        return self.up_buying + self.cross_buying + self.referrals


def appraise(trade: Trade, stage: Stage, risk: float, economics: Economics) -> Worth:
    """What the customer is worth, given the stage and the churn risk (0..1)."""
    days = discounted_days(economics)
    hoped = days * (1.0 - risk)
    margin_per_day = margin_rate(trade, economics)
    open_to = unbought(economics.range, trade.categories)
    wallet_left, share = _wallet(trade, economics)
    order_margin = _order_margin(trade, economics)
    return Worth(
        margin=_money(margin_per_day * (hoped if margin_per_day > 0.0 else days)),
        service_cost=_money(trade.served_per_day * economics.service_cost * days),
        contact_cost=_money(trade.contact_costs / (economics.exposure_prior_days + trade.watched_days) * days),
        up_buying=_money(min(trade.interest_per_day * economics.conversion * order_margin, wallet_left) * hoped),
        cross_buying=_money(_cross_rate(margin_per_day, trade, stage, len(open_to), economics) * hoped) if open_to else 0,
        referrals=_money(trade.referrals / (economics.referral_exposure_days + trade.watched_days) * economics.referral * hoped),
        share_of_wallet=share,
        unbought=open_to,
    )


def discounted_days(economics: Economics) -> float:
    """The horizon in days, later ones weighing less: the integral of e^(-rate t) over it."""
    return _discounted_days(economics.discount_per_year, economics.horizon_days)


@lru_cache(maxsize=64)
def _discounted_days(rate: float, horizon_days: float) -> float:
    years = horizon_days / YEAR_DAYS
    return YEAR_DAYS * (-expm1(-rate * years) / rate if rate > 0.0 else years)


def margin_rate(trade: Trade, economics: Economics) -> float:
    """Margin per day: what was earned, and what is assumed of everybody beforehand, over the days of both, at the present pace."""
    prior = economics.orders_prior * economics.basket * economics.margin
    return (prior + trade.earned.margin) / (economics.exposure_prior_days + trade.watched_days) * trade.pace


def _money(amount: float) -> int:
    """Whole minor units, no more than any sum of money may be, so that extreme assumptions cannot leave what fits in a message."""
    return round(amount if -SUM_MAX <= amount <= SUM_MAX else min(max(amount, -SUM_MAX), SUM_MAX))


def _order_margin(trade: Trade, economics: Economics) -> float:
    """Margin of one more order; shrunk as the rate is, and no less than 0."""
    prior = economics.orders_prior
    orders = prior + trade.earned.orders
    if orders <= 0.0:
        return economics.basket * economics.margin
    return max((prior * economics.basket * economics.margin + trade.earned.margin) / orders, 0.0)


def _wallet(trade: Trade, economics: Economics) -> tuple[float, float | None]:
    """The margin per day that the customer leaves elsewhere (endless when the wallet is not known), and our share of the wallet."""
    if economics.wallet_per_year <= 0:
        return float("inf"), None
    spent = trade.earned.revenue / (economics.exposure_prior_days + trade.watched_days) * YEAR_DAYS * trade.pace
    left = max(economics.wallet_per_year - spent, 0.0)
    return left * economics.margin / YEAR_DAYS, min(spent / economics.wallet_per_year, 1.0)


def _cross_rate(margin_per_day: float, trade: Trade, stage: Stage, missing: int, economics: Economics) -> float:
    """Margin per day of new categories: as much each as one that is bought brings now, times the stage's chance, for up to `cross_max`."""
    each = max(margin_per_day, 0.0) / max(len(trade.categories), 1)
    return min(missing, economics.cross_max) * economics.cross_chance[stage] * each

"""What a customer is worth: the margin expected if all stays as it is, what more there could be, and the cell that follows."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from nextwave_contracts.customers import Cell, Value

from nextwave_scoring.profile import decay
from nextwave_scoring.profile.record import Profile


@dataclass(frozen=True, slots=True)
class Economics:
    """What the user's business earns and spends. Money in minor units of `currency`."""

    currency: str = "EUR"
    current_min: int = 5_000
    """From this expected margin on, current value is high."""
    potential_min: int = 2_500
    """From this possible extra margin on, potential is high."""
    margin: float = 0.3
    """Share of revenue that is margin."""
    horizon_days: float = 365.0
    discount_per_year: float = 0.1
    basket: int = 6_000
    """An order of somebody who has not ordered yet is expected to be worth this."""
    orders_prior: float = 0.2
    exposure_prior_days: float = 60.0
    """The rate of orders is shrunk as if `orders_prior` orders had come in so many days."""
    conversion: float = 0.1
    """Share of further visits that good contact can turn into orders."""
    referral: int = 1_500
    """What a referred customer is worth."""
    contact_cost: int = 250
    """Cost to serve one phone or service touchpoint."""


def worth(profile: Profile, risk: float, at: int, economics: Economics) -> Value:
    """Current and potential value over the horizon, as of `at` (microseconds). Orders of other currencies are not counted."""
    stays = 1.0 - risk
    years = economics.horizon_days / 365.0
    discount = (1.0 - exp(-economics.discount_per_year * years)) / (economics.discount_per_year * years)
    orders, revenue, given_back = profile.orders.get(economics.currency, (0, 0, 0))
    basket = max(revenue - given_back, 0) / orders if orders else float(economics.basket)
    future_margin = basket * economics.margin * economics.horizon_days * stays * discount
    served = sum(decay.read(profile.counts, profile.landmark, key, span=2, at=at) for key in ("phone", "service"))
    cost = served / 90.0 * economics.horizon_days * stays * economics.contact_cost
    span = profile.visits.span
    current = _rate(orders, span, economics) * future_margin - cost
    visits = max(profile.visits.count - profile.purchases.count, 0)
    referrals = decay.read(profile.counts, profile.landmark, "referral", span=2, at=at) * economics.referral
    potential = _rate(visits, span, economics) * economics.conversion * future_margin + referrals
    cell = _cell(high_current=current >= economics.current_min, high_potential=potential >= economics.potential_min)
    return Value(cell=cell, current=round(current), potential=round(potential), currency=economics.currency)


def _rate(times: int, span_days: int, economics: Economics) -> float:
    """Per day, shrunk."""
    return (economics.orders_prior + times) / (economics.exposure_prior_days + span_days)


def _cell(*, high_current: bool, high_potential: bool) -> Cell:
    if high_current:
        return "IV" if high_potential else "III"
    return "II" if high_potential else "I"

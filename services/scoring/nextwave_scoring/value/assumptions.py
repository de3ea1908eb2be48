"""What the user says of the business, so that history can be read as future money: data, no code."""

from __future__ import annotations

from dataclasses import dataclass, field

from nextwave_contracts.customers import Stage


@dataclass(frozen=True, slots=True)
class Economics:
    """Money in minor units of `currency`, shares and chances in 0..1."""

    currency: str = "EUR"
    current_min: int = 5_000
    """From this current value on it is high, unless thresholds are taken from the customers (`thresholds.ThresholdRule`)."""
    potential_min: int = 2_500
    """From this potential on it is high; as above."""
    margin: float = 0.3
    """Share of revenue that is margin, for orders that do not state theirs."""
    horizon_days: float = 365.0
    """How far ahead values look."""
    discount_per_year: float = 0.1
    """Continuous rate by which later money counts less."""
    basket: int = 6_000
    """An order of somebody who has not ordered yet is expected to be worth this."""
    orders_prior: float = 0.2
    """Everybody is taken to have ordered `basket` this often ..."""
    exposure_prior_days: float = 60.0
    """... in so many days before we knew them, so that one early order is no habit."""
    service_cost: int = 250
    """Cost of one phone or service touchpoint."""
    conversion: float = 0.1
    """Share of the days on which a customer came and did not order that good contact can turn into orders."""
    wallet_per_year: int = 0
    """What a customer spends a year on what we sell, with us and others; 0: not known, so up-buying has no upper limit."""
    range: tuple[str, ...] = ()
    """Categories on offer; empty: not told, so nothing is expected of cross-buying."""
    cross_chance: dict[Stage, float] = field(
        default_factory=lambda: {"exploration": 0.05, "formation": 0.15, "stability": 0.20, "decline": 0.05}
    )
    """By stage, the chance that a customer takes up one more category within a year when it is offered well."""
    cross_max: int = 3
    """More new categories than this are not expected of anybody."""
    referral: int = 1_500
    """What a referred customer is worth."""
    referral_exposure_days: float = 365.0
    """Referrals are read as a rate as if the customer had been watched this long without any."""
    loading_share: float = 0.0
    """Indirect cost per unit of direct interaction cost (offices, systems, training)."""

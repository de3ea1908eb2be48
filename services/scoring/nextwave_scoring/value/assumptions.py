"""What the user says of the business, so that history can be read as future money: data, no code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta
from nextwave_contracts.customers import Stage

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Money = Annotated[int, Meta(ge=0, le=10**12)]
Days = Annotated[float, Meta(ge=1.0, le=36_500.0)]
"""What a house file may say: within these bounds every customer's values are finite."""


@dataclass(frozen=True, slots=True)
class Economics:
    """Money in minor units of `currency`, shares and chances in 0..1."""

    currency: str = "EUR"
    current_min: int = 5_000
    """From this current value on it is high, unless thresholds are taken from the customers (`thresholds.ThresholdRule`)."""
    potential_min: int = 2_500
    """From this potential on it is high; as above."""
    margin: Share = 0.3
    """Share of revenue that is margin, for orders that do not state theirs."""
    horizon_days: Annotated[float, Meta(ge=1.0, le=3_650.0)] = 365.0
    """How far ahead values look."""
    discount_per_year: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.1
    """Continuous rate by which later money counts less."""
    basket: Money = 6_000
    """An order of somebody who has not ordered yet is expected to be worth this."""
    orders_prior: Annotated[float, Meta(ge=0.0, le=1_000.0)] = 0.2
    """Everybody is taken to have ordered `basket` this often ..."""
    exposure_prior_days: Days = 60.0
    """... in so many days before we knew them, so that one early order is no habit."""
    service_cost: Money = 250
    """Cost of one phone or service touchpoint."""
    conversion: Share = 0.1
    """Share of the days on which a customer came and did not order that good contact can turn into orders."""
    wallet_per_year: Money = 0
    """What a customer spends a year on what we sell, with us and others; 0: not known, so up-buying has no upper limit."""
    range: Annotated[tuple[str, ...], Meta(max_length=1_000)] = ()
    """Categories on offer; empty: not told, so nothing is expected of cross-buying."""
    cross_chance: dict[Stage, Share] = field(
        default_factory=lambda: {"exploration": 0.05, "formation": 0.15, "stability": 0.20, "decline": 0.05}
    )
    """By stage, the chance that a customer takes up one more category within a year when it is offered well."""
    cross_max: Annotated[int, Meta(ge=0, le=1_000)] = 3
    """More new categories than this are not expected of anybody."""
    referral: Money = 1_500
    """What a referred customer is worth."""
    referral_exposure_days: Days = 365.0
    """Referrals are read as a rate as if the customer had been watched this long without any."""
    loading_share: Annotated[float, Meta(ge=0.0, le=100.0)] = 0.0
    """Indirect cost per unit of direct interaction cost (offices, systems, training)."""

"""What is assumed of customers before they show a rhythm of their own, and how much each other sign moves the risk: data, no code."""

from __future__ import annotations

from dataclasses import dataclass, field

MODEL = "baseline-1"


@dataclass(frozen=True, slots=True)
class Population:
    """Parameters of the baseline. Rates per day; weights are log-odds per unit of the feature."""

    source: str = (
        "visits of a web shop over six months (600 users of retentioneering's ecom data: mean gap 17 days, median 11, 90 % under 37);"
        " form: Fader, Hardie & Lee, 'Counting your customers the easy way', Marketing Science 2005;"
        " weights: expert judgement, to be replaced by trained models where they do better"
    )
    horizon_days: int = 45
    shape: float = 0.8
    """Gamma prior of the rate of coming back: as if this many returns ..."""
    exposure_days: float = 20.0
    """... had been seen in this many days."""
    leaving_per_day: float = 1 / 200
    """Constant chance of leaving for good."""
    spread_weight: float = 4.0
    """The spread of intervals is shrunk as if this many intervals had been exponential."""
    weights: dict[str, float] = field(
        default_factory=lambda: {
            "overdue": 0.15,
            "open_complaints": 0.9,
            "repeated_complaints": 0.4,
            "unsatisfied": 0.6,
            "falling_activity": 0.5,
            "abandoned_calls": 0.3,
            "returns": 0.25,
            "failed_payments": 0.2,
            "delays": 0.15,
            "refusals": 0.35,
            "low_satisfaction": 0.4,
            "contract_cancelled": 1.5,
        }
    )
    feature_max: float = 4.0
    """Beyond this a feature moves the risk no further."""


DEFAULT = Population()

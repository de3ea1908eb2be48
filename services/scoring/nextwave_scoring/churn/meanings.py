"""What a reason of a risk means: for whoever reads `churn.reasons`, each feature with the unit of its value."""

from __future__ import annotations

import msgspec

from nextwave_scoring.churn.features import CATALOGUE, TRAIT

COUNT = "count"


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """`unit` is that of the reason's `value`; its contribution is a probability."""

    feature: str
    unit: str
    meaning: str


_OWN = {
    "population": "where everybody starts; the value is how far the risk looks ahead",
    "rhythm": "how often the customer came back; the value is the mean of the days between, or where that is not known the days watched",
    "silence": "days since the last meaningful touchpoint, against the customer's rhythm",
    "overdue": "by how many standard deviations of their rhythm the silence is longer than the mean of the days between",
    "together": "what features of trees do only jointly; it has no value of its own",
}
"""Reasons that are no features which a model may ask for."""
_UNITS = {
    "population": "days",
    "rhythm": "days",
    "silence": "days",
    "silence_days": "days",
    "watched_days": "days",
    "interval_days": "days",
    "spread_days": "days",
    "overdue": "standard deviations",
    "together": "none",
    "baseline": "log-odds",
    "spent": "minor units",
    "spent_log": "logarithm of minor units",
    "spent_per_order": "minor units",
    "given_back_share": "share 0..1",
    "unsatisfied": "0 or 1",
    "falling_activity": "share 0..1",
    "low_satisfaction": "points of 1..5",
    "contract_end_near": "share 0..1",
}
"""Of all others it is a count; a decayed one is a fraction that fades to nothing."""
_TRAIT = Meaning(
    feature=f"{TRAIT}<name>",
    unit="the trait's own, or 0 or 1",
    meaning="a trait that is a number, or with =<value> whether the trait is that",
)
REASONS: tuple[Meaning, ...] = (
    *(Meaning(feature=name, unit=_UNITS.get(name, COUNT), meaning=meaning) for name, meaning in (_OWN | CATALOGUE).items()),
    _TRAIT,
)
"""Every reason that any model gives."""

"""What a trained model may know of a customer: named numbers read from the profile, each with one line of meaning.

All but the silence are as of the last touchpoint, so that between events only the silence moves a risk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log1p
from typing import Any, NamedTuple

from nextwave_scoring.churn.baseline import counted_until, end_of_contracts, nearness, signs_of
from nextwave_scoring.instants import DAY
from nextwave_scoring.profile import decay
from nextwave_scoring.profile.record import Profile

SILENCE = "silence_days"
BASELINE = "baseline"
"""The baseline's own log-odds, with a population that the model brings along."""
TRAIT = "trait:"
"""`trait:NAME` is a numeric trait (0 where it is missing; see `knows`), `trait:NAME=VALUE` is 1 for customers with that value."""
FEATURES_MAX = 2_000
"""No model may ask for more, so that reading a profile stays cheap."""
_TRAIT_MAX = 1e15
"""Further from 0 a trait says no more; an integer of any length may be told."""
_MONTH = 1
_QUARTER = 2
"""Indices of the 30- and 90-day spans of the decayed counts."""
Values = dict[str, float]


class UnknownFeatureError(ValueError):
    """A model asks for what no profile has; the message names it."""


class Group(NamedTuple):
    """Features that are read together."""

    read: Callable[[Profile], Values]
    meanings: Mapping[str, str]


def each_once(names: Sequence[str]) -> None:
    """Raises `ValueError` for a feature that a model asks for twice: it would be two reasons of one name."""
    if twice := sorted(name for name, times in Counter(names).items() if times > 1):
        raise ValueError(f"the feature {twice[0]} is there twice")


def features(profile: Profile, at: int) -> Values:
    """Every feature of the catalogue but the baseline's log-odds; `at` in microseconds."""
    values = {name: value for group in GROUPS for name, value in group.read(profile).items()}
    return {SILENCE: silence_of(profile, at), **values}


def silence_of(profile: Profile, at: int) -> float:
    """Days since the last meaningful touchpoint."""
    return max(at - last_of(profile), 0) / DAY


def last_of(profile: Profile) -> int:
    """The instant from which silence counts (microseconds)."""
    return profile.active_at or profile.first_at


def reader(names: Sequence[str]) -> Callable[[Profile], list[float]]:
    """Reads the named features, in this order, 0 for those that grow with the silence. Raises `UnknownFeatureError`."""
    if len(names) > FEATURES_MAX:
        raise ValueError(f"a model may ask for {FEATURES_MAX} features at most")
    for name in names:
        if name not in CATALOGUE and not name.startswith(TRAIT):
            raise UnknownFeatureError(f"{name} is no feature of a profile: use {', '.join(sorted(CATALOGUE))} or {TRAIT}NAME")
    groups = [group.read for group in GROUPS if not group.meanings.keys().isdisjoint(names)]
    traits = [name for name in names if name.startswith(TRAIT)]

    def read(profile: Profile) -> list[float]:
        values: Values = {}
        for group in groups:
            values.update(group(profile))
        for name in traits:
            values[name] = trait(profile, name)
        return [values.get(name, 0.0) for name in names]

    return read


def trait(profile: Profile, name: str) -> float:
    """The value of a `trait:` feature."""
    key, is_choice, choice = name.removeprefix(TRAIT).partition("=")
    value: Any = profile.traits[key][1] if key in profile.traits else None
    if is_choice:
        return float(text_of(value) == choice)
    return float(min(max(value, -_TRAIT_MAX), _TRAIT_MAX)) if isinstance(value, int | float) else 0.0


def trait_keys(names: Sequence[str]) -> frozenset[str]:
    """The traits that features of these names are read from."""
    return frozenset(name.removeprefix(TRAIT).partition("=")[0] for name in names if name.startswith(TRAIT))


def knows(profile: Profile, traits: frozenset[str]) -> bool:
    """Whether at least half of the traits were ever told: a model that asks for them says nothing of anybody else."""
    return not traits or 2 * len(traits & profile.traits.keys()) >= len(traits)


def text_of(value: Any) -> str:
    """A trait's value as a `trait:NAME=VALUE` feature writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rhythm(profile: Profile) -> Values:
    days = profile.visits
    gaps = days.gaps()
    mean = days.span / len(gaps) if gaps else 0.0
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5 if gaps else 0.0
    return {
        "comebacks": float(len(gaps)),
        "watched_days": float(days.span),
        "interval_days": mean,
        "spread_days": spread,
        "active_30": float(days.within(0, 30)),
        "active_90": float(days.within(0, 90)),
    }


def _money(profile: Profile) -> Values:
    """In the currency of most orders (of the first in the alphabet when several have as many)."""
    main = min(profile.orders, key=lambda currency: (-profile.orders[currency][0], currency), default="")
    orders, revenue, given_back = profile.orders[main][:3] if main else (0, 0, 0)
    spent = float(max(revenue - given_back, 0))
    return {
        "orders": float(orders),
        "order_days": float(profile.purchases.count),
        "spent": spent,
        "spent_log": log1p(spent),
        "spent_per_order": spent / max(orders, 1),
        "given_back_share": given_back / revenue if revenue else 0.0,
    }


def _activity(profile: Profile) -> Values:
    subjects = ("web", "account", "order", "phone", "message", "service")
    at = counted_until(profile)
    return {
        "touchpoints": float(profile.touchpoints),
        "sessions": float(profile.sessions),
        **{f"activity_{name}": decay.read(profile.counts, profile.landmark, name, span=_MONTH, at=at) for name in subjects},
        "referrals": decay.read(profile.counts, profile.landmark, "referral", span=_QUARTER, at=at),
        "rated": decay.read(profile.counts, profile.landmark, "rated", span=_QUARTER, at=at),
    }


def _signs(profile: Profile) -> Values:
    found = signs_of(profile)
    found["contract_end_near"] = nearness(end, counted_until(profile)) if (end := end_of_contracts(profile)) else 0.0
    return {name: max(found.get(name, 0.0), 0.0) for name in _SIGNS}


_RHYTHM = {
    "comebacks": "days with a meaningful touchpoint after the first such day",
    "watched_days": "days from the first day with a meaningful touchpoint to the last",
    "interval_days": "mean of the days between two such days, 0 without two",
    "spread_days": "standard deviation of the days between two such days",
    "active_30": "such days among the newest 30, counted back from the last one",
    "active_90": "such days among the newest 90, counted back from the last one",
}
_MONEY = {
    "orders": "orders in the currency of most orders",
    "order_days": "days with an order",
    "spent": "revenue less what was given back, minor units of the currency of most orders",
    "spent_log": "natural logarithm of one more than `spent`",
    "spent_per_order": "`spent` by order",
    "given_back_share": "what was given back, by revenue",
}
_ACTIVITY = {
    "touchpoints": "all touchpoints",
    "sessions": "visits that ended",
    "activity_web": "touchpoints of the web (decayed, 30 days)",
    "activity_account": "touchpoints of the account (decayed, 30 days)",
    "activity_order": "touchpoints of orders and contracts (decayed, 30 days)",
    "activity_phone": "touchpoints by phone (decayed, 30 days)",
    "activity_message": "messages (decayed, 30 days)",
    "activity_service": "service matters (decayed, 30 days)",
    "referrals": "customers brought (decayed, 90 days)",
    "rated": "ratings given (decayed, 90 days)",
}
_SIGNS = {
    "open_complaints": "complaints that are open",
    "repeated_complaints": "complaints beyond the first (decayed, 90 days)",
    "unsatisfied": "1 when a complaint was closed without satisfaction, or a service request is open",
    "falling_activity": "how much fewer the active days of the newest 30 are than before, 0 to 1",
    "abandoned_calls": "calls given up before an answer (decayed, 90 days)",
    "returns": "orders sent back (decayed, 90 days)",
    "failed_payments": "payments that failed (decayed, 90 days)",
    "delays": "deliveries that were late (decayed, 90 days)",
    "refusals": "refusals (decayed, 90 days)",
    "low_satisfaction": "by how much the mean rating is below 3.5, 0 without a rating",
    "contract_cancelled": "contracts cancelled (decayed, 90 days)",
    "contract_end_near": "how near the end of the last contract was at the last touchpoint, 0 (two months or more) to 1",
}
GROUPS = (Group(_rhythm, _RHYTHM), Group(_money, _MONEY), Group(_activity, _ACTIVITY), Group(_signs, _SIGNS))
GROWING = {
    SILENCE: "days since the last meaningful touchpoint",
    BASELINE: "log-odds of the shipped baseline with the model's own population (logistic models only)",
}
"""What grows while nothing happens."""
CATALOGUE: dict[str, str] = {**GROWING, **{name: meaning for group in GROUPS for name, meaning in group.meanings.items()}}
"""Every feature and what it means; traits come on top."""

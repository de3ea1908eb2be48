"""The parts of a snapshot that are read straight from a profile."""

from __future__ import annotations

from typing import Any

from nextwave_contracts.customers import ContactPoint, Orders, PastContact

from nextwave_scoring.instants import instant, instant_or_none
from nextwave_scoring.profile import decay
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.subjects import OTHER, SUBJECTS
from nextwave_scoring.profile.traits import QUIET_HOURS

_MONTH = 1
"""Index of the 30-day span."""
_ACTIVITY = (*SUBJECTS, OTHER)
_LEAST = 0.001


def orders(profile: Profile, currency: str) -> Orders:
    """Sums in `currency`, or, where there are none, in the currency with the most orders. Revenue is net of what was given back."""
    sums = profile.orders
    if sums and currency not in sums:
        currency = max(sums, key=lambda c: (sums[c][0], c))
    count, revenue, given_back = sums.get(currency, (0, 0, 0))
    days = profile.purchases
    return Orders(
        count=count,
        revenue=revenue - given_back,
        currency=currency,
        first_at=instant_or_none(profile.first_order_at),
        last_at=instant_or_none(profile.last_order_at),
        interval_days=days.span / (days.count - 1) if days.count > 1 else None,
    )


def activity(profile: Profile, at: int) -> dict[str, float]:
    """Decayed counts (30 days) per subject as of `at` (microseconds); what has faded is left out."""
    counts, fading = profile.counts, decay.fading(profile.landmark, span=_MONTH, at=at)
    return {key: round(count, 4) for key in _ACTIVITY if key in counts and (count := counts[key][_MONTH] * fading) >= _LEAST}


def contact_points(profile: Profile) -> tuple[ContactPoint, ...]:
    """Where each channel reaches the customer. Bounced until a newer address or a later delivery."""
    return tuple(
        ContactPoint(channel=channel, address=p.address, bounced=p.bounced_at > max(p.set_at, p.reached_at))
        for channel, p in sorted(profile.points.items())
        if p.address
    )


def past_contacts(profile: Profile) -> tuple[PastContact, ...]:
    """Recent contacts, oldest first; also those that failed, since proof of contact may come after the merge."""
    known = [
        PastContact(action_id=action, campaign=c.campaign, channel=c.channel, at=instant(c.at), unsent=c.failed and not c.made)
        for action, c in profile.contacts.items()
    ]
    return tuple(sorted(known, key=lambda c: (c.at, c.action_id)))


def home(profile: Profile, key: str) -> str:
    """`country`, `region` or `language`; empty when unknown."""
    fact = profile.home.get(key)
    return str(fact[1]) if fact else ""


def traits(profile: Profile) -> dict[str, Any]:
    """The newest value of each trait, quiet hours among them."""
    known = {key: value for key, (_, value) in profile.traits.items()}
    return {**known, QUIET_HOURS: profile.home[QUIET_HOURS][1]} if QUIET_HOURS in profile.home else known

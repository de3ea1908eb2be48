"""What our own contacts with a customer came to: recent contacts, response per channel and hour, proof of addresses, bounces, costs."""

from __future__ import annotations

from nextwave_contracts.outcomes import Outcome

from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.profile import bounds, contacts, decay, hours, orders, points, rests
from nextwave_scoring.profile.aging import advance
from nextwave_scoring.profile.record import ContactPoint, Profile
from nextwave_scoring.rates import Rates

RESPONSES: tuple[str, ...] = ("opened", "clicked", "replied", "answered")
"""Kinds of outcome that are counted per channel by themselves, beside `sent` and `reached`."""
_PROOF = frozenset({"clicked", "replied", "answered"})
"""Only who reads what is sent to an address does this."""
_HOUSE = Rates()


def take(profile: Profile, outcome: Outcome, rates: Rates = _HOUSE) -> None:
    """Takes one outcome into the profile."""
    at, channel, kind = micros(outcome.at), outcome.channel, outcome.kind
    advance(profile, at // DAY)
    contacts.take(profile.contacts, outcome, profile.landmark, at)
    weight = decay.weights(profile.landmark, at)
    if kind == "accepted":
        decay.add(profile.counts, f"sent.{channel}", weight)
    if kind in RESPONSES:
        decay.add(profile.counts, f"{kind}.{channel}", weight)
    if outcome.reach == "reached":
        decay.add(profile.counts, f"reached.{channel}", weight)
        hours.add(profile.hours, channel, profile.landmark, at)
    if kind in _PROOF:
        points.verified(profile, (channel,), at)
    if kind == "refused":
        rests.refused(profile, channel, at)
        decay.add(profile.counts, "refusal", weight)
    _arrival(profile, outcome, at)
    if outcome.cost:
        spent = orders.cost(profile, outcome.cost, outcome.currency, at, rates)
        profile.contact_costs = bounds.added(profile.contact_costs, spent)


def _arrival(profile: Profile, outcome: Outcome, at: int) -> None:
    """Whether the address took it."""
    if outcome.kind == "bounced":
        point = profile.points.setdefault(outcome.channel, ContactPoint())
        point.bounced_at = max(point.bounced_at, at)
    elif outcome.kind == "delivered" or outcome.reach == "reached":
        point = profile.points.setdefault(outcome.channel, ContactPoint())
        point.reached_at = max(point.reached_at, at)

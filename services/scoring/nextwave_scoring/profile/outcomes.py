"""What our own contacts with a customer came to: recent contacts, response per channel, bounces, refusals."""

from __future__ import annotations

from nextwave_contracts.outcomes import CONTACT_MADE, NOT_SENT, Outcome

from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.profile import decay, rests
from nextwave_scoring.profile.merge import bounded_contacts, joined_contact
from nextwave_scoring.profile.record import ContactPoint, PastContact, Profile


def take(profile: Profile, outcome: Outcome) -> None:
    """Takes one outcome into the profile."""
    at = micros(outcome.at)
    _remember(profile, outcome, at)
    profile.landmark = decay.advance(profile.counts, profile.landmark, at // DAY)
    weight = decay.weights(profile.landmark, at)
    if outcome.kind == "accepted":
        decay.add(profile.counts, f"sent.{outcome.channel}", weight)
    if outcome.reach == "reached":
        decay.add(profile.counts, f"reached.{outcome.channel}", weight)
    if outcome.kind == "refused":
        rests.refused(profile, outcome.channel, at)
        decay.add(profile.counts, "refusal", weight)
    if outcome.kind == "bounced":
        point = profile.points.setdefault(outcome.channel, ContactPoint())
        point.bounced_at = max(point.bounced_at, at)
    elif outcome.kind == "delivered" or outcome.reach == "reached":
        point = profile.points.setdefault(outcome.channel, ContactPoint())
        point.reached_at = max(point.reached_at, at)


def _remember(profile: Profile, outcome: Outcome, at: int) -> None:
    contact = PastContact(outcome.campaign, outcome.channel, at, outcome.kind in NOT_SENT, outcome.kind in CONTACT_MADE)
    known = profile.contacts.get(outcome.action_id)
    profile.contacts[outcome.action_id] = joined_contact(known, contact) if known else contact
    profile.contacts = bounded_contacts(profile.contacts)

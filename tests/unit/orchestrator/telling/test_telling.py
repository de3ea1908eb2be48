"""A decision says in words what it was and what was tried."""

from __future__ import annotations

from nextwave_contracts.customers import Consent
from nextwave_orchestrator.telling import decision_in_words
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave


def told(house: House) -> str:
    house.touch("cart.updated")
    return decision_in_words(house.decisions[-1])


def test_a_contact_says_by_what_and_for_which_wave() -> None:
    assert told(House(catalogue(campaign()))).startswith("Contacted by email in wave tell of winter: permitted. Tried email: permitted")


def test_a_contact_that_is_not_made_says_why_for_every_channel() -> None:
    refused = snapshot(consents=(Consent(channel="", purpose="marketing", granted=False, at=MONDAY_NOON),))
    said = told(House(catalogue(campaign("winter", wave("tell", "email", "sms"))), profile=refused))
    assert said.startswith("Not contacted in wave tell of winter: no_consent. Tried email: no_consent (")
    assert ", sms: no_consent (" in said


def test_a_contact_that_is_put_off_says_until_when() -> None:
    house = House(catalogue(campaign("winter", wave("tell", "email"), needs=["payment"])))
    assert told(house).startswith("Put off until 2026-06-15T12:15:00+00:00 in wave tell of winter: not_ready.")

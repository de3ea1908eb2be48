"""What the simulation, or its making, found in the services: each alone and small. A test that passes says that its defect is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import CustomersMerged
from nextwave_contracts.decisions import Decision, RunStarted
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House, campaign, catalogue, snapshot, wave

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TWO_WAVES = campaign("winter", wave("tell", "email"), wave("again", "email", enter={"after": "tell", "unless": "responded"}))
open_defect = pytest.mark.xfail(strict=True, reason="an open defect of a service")


def merged(house: House) -> CustomersMerged:
    """Somebody else became part of the house's customer; of contacts with them scoring has heard nothing yet."""
    return CustomersMerged(customer_id=CUSTOMER, absorbed="c-0", at=house.now, profile=snapshot(version=9))


@open_defect
def test_a_merge_does_not_let_a_customer_into_a_campaign_again_that_one_of_both_went_through() -> None:
    """Both are one person and had one set of runs; the campaign has no re-entry. What is known of entries stays with the absorbed one."""
    absorbed = House(catalogue(TWO_WAVES), profile=snapshot(customer_id="c-0"))
    absorbed.touch("cart.updated")
    survivor = House(catalogue(TWO_WAVES), now=MONDAY_NOON + HOUR)
    survivor.take(merged(survivor))
    survivor.touch("cart.updated")
    assert len(absorbed.all(RunStarted)) == 1
    assert survivor.all(RunStarted) == []


@open_defect
def test_a_contact_decided_just_before_a_merge_counts_for_the_caps_of_both() -> None:
    """Scoring hears of a contact by its outcomes alone: one that is under way at the merge is in nobody's count until then."""
    rules = catalogue(TWO_WAVES, policy=Policy(caps=(Cap(most=1, per="24h"),)))
    absorbed = House(rules, profile=snapshot(customer_id="c-0"))
    absorbed.touch("cart.updated")
    survivor = House(rules, now=MONDAY_NOON + MINUTE)
    survivor.take(merged(survivor))
    survivor.touch("cart.updated")
    results = [decision.result for house in (absorbed, survivor) for decision in house.all(Decision)]
    assert results == ["act", "defer"]


@open_defect
def test_a_click_from_a_device_with_a_wrong_clock_is_an_answer() -> None:
    """It came through a door before the window closed. Its time is suspect, so the customer is contacted again all the same."""
    house = House(catalogue(TWO_WAVES))
    house.touch("cart.updated")
    house.touch("page.viewed", MONDAY_NOON + HOUR, suspect=True, path="/renew")
    house.wait(MONDAY_NOON + 50 * HOUR)
    assert len(house.all(Contact)) == 1

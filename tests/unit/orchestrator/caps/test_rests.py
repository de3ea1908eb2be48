"""How long a customer rests after a refusal, a complaint, or a contact of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from nextwave_contracts.actions import Contact
from nextwave_orchestrator.campaigns.definition import Policy
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

RESTS = Policy(caps=(), after_refusal="60d", after_complaint="14d")


def rested(*channels: str, window: str = "48h", **profile: Any) -> House:
    """A customer who entered a campaign over these channels."""
    rules = catalogue(campaign("winter", wave("tell", *channels, window=window)), policy=RESTS)
    house = House(rules, profile=snapshot(**profile))
    house.touch("cart.updated")
    return house


def test_after_a_refusal_its_channel_rests_and_after_a_complaint_all_marketing() -> None:
    refused = {"call": MONDAY_NOON - DAY}
    assert [(d.result, d.reason, d.channel) for d in rested("call", "email", refused=refused).decisions] == [("withhold", "cap", "call")]
    assert [d.result for d in rested("email", refused=refused).decisions] == ["act"]
    assert [d.result for d in rested("call", refused={"call": MONDAY_NOON - 61 * DAY}).decisions] == ["act"]
    complained = rested("email", window="20d", complained_at=MONDAY_NOON)
    assert [(d.result, d.reason, d.until) for d in complained.decisions] == [("defer", "cap", MONDAY_NOON + 14 * DAY)]


def test_a_refusal_on_an_unknown_channel_rests_them_all_beyond_a_complaint() -> None:
    house = rested("email", window="62d", refused={"": MONDAY_NOON}, complained_at=MONDAY_NOON)
    assert [(d.reason, d.until) for d in house.decisions] == [("cap", MONDAY_NOON + 60 * DAY)]


@pytest.mark.parametrize("came", ["call.offered", "chat.started", "sms.received", "email.received", "message.left", "service.requested"])
def test_after_a_contact_of_theirs_marketing_rests_for_a_day_and_nothing_else_does(came: str) -> None:
    care = campaign("care", purpose="care", goal={"event": "contract.renewed", "within": "30d"})
    house = House(catalogue(campaign("winter"), care, policy=RESTS))
    house.touch(came, body="Where is it?")
    house.wait(MONDAY_NOON + HOUR)
    house.touch("cart.updated")
    decided = {d.campaign: (d.result, d.reason, d.until) for d in house.decisions}
    assert decided == {"care": ("act", "permitted", None), "winter": ("defer", "cap", MONDAY_NOON + DAY)}
    house.wait(MONDAY_NOON + DAY)
    assert [contact.campaign for contact in house.all(Contact)] == ["care", "winter"]


def test_what_is_looked_at_is_no_contact_and_one_told_late_counts_from_when_it_was() -> None:
    house = House(catalogue(campaign("winter"), policy=RESTS))
    for looked in ("page.viewed", "call.wrapped_up", "order.placed"):
        house.touch(looked)
    house.touch("call.offered", suspect=True)
    assert house.state.came_at is None
    house.touch("call.offered", MONDAY_NOON - 30 * HOUR)
    house.touch("call.offered", MONDAY_NOON - 40 * HOUR)
    assert house.state.came_at == MONDAY_NOON - 30 * HOUR
    house.touch("cart.updated")
    assert [d.result for d in house.decisions] == ["act"]


def test_a_contact_of_an_absorbed_customer_rests_the_survivor() -> None:
    house = House(catalogue(campaign("winter"), policy=RESTS))
    house.touch("page.viewed")
    other = House(house.rules, profile=snapshot(customer_id="c-0"), unit=house.unit, timers=house.timers)
    other.touch("call.offered")
    house.timers += other.timers
    house.merge("c-0")
    house.touch("cart.updated")
    assert [(d.result, d.reason, d.until) for d in house.decisions] == [("defer", "cap", MONDAY_NOON + DAY)]


@pytest.mark.parametrize("rest", [{"refused": {"email": MONDAY_NOON}}, {"complained_at": MONDAY_NOON}], ids=["refusal", "complaint"])
def test_the_rests_of_an_absorbed_customer_hold_for_the_survivor(rest: dict[str, Any]) -> None:
    house = House(catalogue(campaign("winter"), policy=RESTS))
    house.touch("page.viewed")
    house.profile = snapshot(version=2, **rest)
    house.merge("c-0")
    house.touch("cart.updated")
    assert [(d.result, d.reason) for d in house.decisions] == [("withhold", "cap")]

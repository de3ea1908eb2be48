"""Of the answer for the agent: which version is offered, what is told of those that lost, and what roles without need for names see."""

from __future__ import annotations

from dataclasses import replace as with_values

import msgspec
from nextwave_contracts.customers import Cases
from nextwave_contracts.masking import MASK
from nextwave_orchestrator.inbound.best import next_best_action
from nextwave_orchestrator.inbound.visit import Visit
from nextwave_orchestrator.state import CustomerState
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House, campaign, catalogue, snapshot, wave
from unit.orchestrator.service.test_next_best_action import CALLED, DAY, HOUR, ago, answer


def test_who_is_on_the_way_of_an_older_version_is_spoken_to_by_that_one_also_while_the_campaign_drains() -> None:
    old, new = campaign("winter", wave("tell", "email")), campaign("winter", wave("other", "email"), version=2)
    house = House(catalogue(old))
    house.touch("cart.updated")
    for live in ((new,), ()):
        rules = catalogue(old, new, live=live)
        (offer,) = next_best_action(Visit(rules, house.state, "call", house.now, "", masked=False)).offers
        assert (offer.version, offer.wave, offer.say, offer.run_id) == (1, "tell", "text of tell-email", house.run.run_id)


def test_of_many_campaigns_that_lose_the_fifty_worth_most_are_told() -> None:
    goals = [{"event": "order.placed", "within": "5d", "value": n} for n in range(80)]
    rules = catalogue(*(campaign(f"c{n:02}", CALLED, goal=goal, holdout=1.0) for n, goal in enumerate(goals)))
    assert [loser.campaign for loser in answer(rules).losers] == [f"c{n:02}" for n in range(79, 29, -1)]


def test_what_a_person_wrote_is_told_to_nobody_who_needs_no_names() -> None:
    promise = "Ring Ann Lee back on +49 151 12345678"
    told = ago("call.wrapped_up", DAY, promise=promise, callback=True, reference="ann@example.com")
    asked = ago("service.requested", HOUR, reference="ann@example.com", note="for Mia", topic="bill")
    profile = snapshot(services=Cases(open=1), unsatisfied=True)
    state = CustomerState(customer_id=CUSTOMER, profile=profile, history=(told, asked))
    visit = Visit(catalogue(), state, "call", MONDAY_NOON, "a-7", masked=True)
    found = next_best_action(visit)
    assert [(one.text, one.reference) for one in found.promises] == [("a call back", MASK), (MASK, MASK)]
    assert (found.next.about, found.calling[0].evidence[0].data["topic"]) == (MASK, "bill")
    written = msgspec.json.encode(found).decode()
    assert [word for word in ("Ann", "12345678", "ann@", "Mia") if word in written] == []
    assert promise in msgspec.json.encode(next_best_action(with_values(visit, masked=False))).decode()

"""What a candidate brings to the gate, at the edges where a slip would change who is contacted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from nextwave_contracts.customers import HeldBy
from nextwave_orchestrator.campaigns.definition import Policy
from nextwave_orchestrator.gate import Act, Defer, Withhold, decide
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave
from unit.orchestrator.gate.test_gate import MAIL, SMS, asked

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_a_contact_must_be_worth_what_it_costs_indirectly_too() -> None:
    loaded = replace(SMS, loading=2)
    worthless = decide(asked(loaded, goal_value=124))
    assert worthless.ruling == Withhold("not_worth_it")
    assert decide(asked(loaded, goal_value=125)).ruling == Act(0)
    assert (worthless.numbers["cost"], worthless.numbers["full_cost"]) == (8, 10)


def test_the_score_is_less_the_indirect_cost_too_and_decides_which_channel_is_the_best() -> None:
    mail = replace(MAIL, response_rate=0.08, cost=9)
    judged = decide(asked(replace(SMS, loading=2), mail, pick="best"))
    assert judged.ruling == Act(1)
    assert [attempt.score for attempt in judged.attempts] == [pytest.approx(950.0), pytest.approx(951.0)]


def test_a_policys_loading_reaches_the_cost_gate() -> None:
    goal = {"event": "contract.renewed", "within": "30d", "value": 100}

    def reason(loading: float) -> str:
        policy = Policy(caps=(), channel_costs={"sms": 8}, response_rates={"sms": 0.08}, loading_share=loading)
        house = House(catalogue(campaign("winter", wave("tell", "sms"), goal=goal), policy=policy))
        house.touch("cart.updated")
        return house.decisions[0].reason

    assert (reason(0), reason(0.25)) == ("permitted", "not_worth_it")


def test_nothing_is_put_off_to_the_latest_time_itself() -> None:
    due = MONDAY_NOON + HOUR
    later = asked(replace(SMS, capacity_free_at=due), not_after=due + timedelta(microseconds=1))
    assert decide(later).ruling == Defer(due, "capacity")
    assert decide(replace(later, not_after=due)).ruling == Withhold("capacity")


def test_a_complaint_whose_hold_has_lapsed_stops_nothing_and_one_more_does() -> None:
    lapsed = HeldBy(kind="complaint", since=MONDAY_NOON - DAY, until=MONDAY_NOON)
    assert decide(asked(SMS, holds=(lapsed,), open_complaints=1)).ruling == Act(0)
    assert decide(asked(SMS, holds=(lapsed,), open_complaints=2)).ruling == Withhold("complaint_open")


@pytest.mark.parametrize(
    ("purpose", "reason"), [("marketing", "holdout"), ("care", "holdout"), ("service", "permitted"), ("recovery", "permitted")]
)
def test_the_houses_holdout_holds_back_nothing_that_is_owed(purpose: str, reason: str) -> None:
    house = House(catalogue(campaign("winter", purpose=purpose), policy=Policy(caps=(), global_holdout=1.0)))
    house.touch("cart.updated")
    assert [decision.reason for decision in house.decisions] == [reason]


def test_the_campaigns_own_holdout_holds_back_what_is_owed() -> None:
    house = House(catalogue(campaign("winter", purpose="service", holdout=1.0)))
    house.touch("cart.updated")
    assert [decision.reason for decision in house.decisions] == ["holdout"]


RESTS = Policy(caps=(), after_refusal="60d", after_complaint="14d", after_decline="2d")


def declined(purpose: str = "marketing", **profile: Any) -> House:
    """A customer who declined the campaign's offer, then enters it."""
    house = House(catalogue(campaign("winter", wave("tell", "email", window="90d"), purpose=purpose), policy=RESTS))
    house.profile = snapshot(**profile)
    house.touch("offer.declined", campaign="winter")
    house.touch("cart.updated")
    return house


def test_of_a_declined_offer_and_a_complaint_the_longer_rest_holds() -> None:
    assert declined().decisions[-1].until == MONDAY_NOON + 2 * DAY
    assert declined(complained_at=MONDAY_NOON).decisions[-1].until == MONDAY_NOON + 14 * DAY
    assert declined(complained_at=MONDAY_NOON - 13 * DAY).decisions[-1].until == MONDAY_NOON + 2 * DAY


@pytest.mark.parametrize(("purpose", "result"), [("marketing", "defer"), ("care", "defer"), ("service", "act"), ("transactional", "act")])
def test_a_refused_channel_rests_for_marketing_and_care_alone(purpose: str, result: str) -> None:
    house = House(catalogue(campaign("winter", wave("tell", "email", window="90d"), purpose=purpose), policy=RESTS))
    house.profile = snapshot(refused={"email": MONDAY_NOON})
    house.touch("cart.updated")
    assert [decision.result for decision in house.decisions] == [result]


def test_a_refused_channel_alone_rests() -> None:
    resting = {"call": MONDAY_NOON + DAY}
    assert decide(asked(SMS, resting=resting)).ruling == Act(0)
    assert decide(asked(replace(SMS, channel="call"), resting=resting)).ruling == Defer(MONDAY_NOON + DAY, "cap")

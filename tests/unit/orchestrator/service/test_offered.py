"""What a customer says to an agent's offer counts: taken, it answers the campaign; declined, it ends the way, and the offer rests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from nextwave_contracts.actions import Contact, Withdraw
from nextwave_contracts.decisions import RunEnded, WaveClosed
from nextwave_orchestrator.campaigns.definition import Policy
from nextwave_orchestrator.offered import joined
from nextwave_orchestrator.state import DECLINED_MAX, CustomerState
from unit.orchestrator.decision_world import MONDAY_NOON, NO_CAPS, House, campaign, catalogue, snapshot, wave

DAY = timedelta(days=1)
TWO_WAVES = (wave("tell", "email"), wave("call", "email", enter={"after": "tell", "unless": "responded"}))
WITH_BRANCH = (
    wave("tell", "email"),
    {"key": "after", "window": "7d", "enter": {"after": "tell", "on": {"refused": {"channel": "email", "template": "understood"}}}},
)


def ended(said: list[Any]) -> list[str]:
    return [one.reason for one in said if isinstance(one, RunEnded)]


def test_a_taken_offer_answers_the_open_wave_of_its_campaign() -> None:
    house = House(catalogue(campaign("winter", *TWO_WAVES)))
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + timedelta(hours=1))
    said = house.touch("offer.accepted", campaign="winter")
    assert [(one.wave, one.responded) for one in said if isinstance(one, WaveClosed)] == [("tell", True)]
    assert ended(said) == ["responded"]


def test_a_declined_offer_ends_the_way_withdraws_what_is_queued_and_lets_the_campaign_rest() -> None:
    entry = {"on": {"event": "cart.updated"}, "reentry": {"after": "1d"}}
    house = House(catalogue(campaign("winter", *TWO_WAVES, entry=entry)))
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + timedelta(hours=1))
    said = house.touch("offer.declined", campaign="winter")
    assert [one.reason for one in said if isinstance(one, Withdraw)] == ["declined"]
    assert ended(said) == ["suppressed"]
    house.wait(MONDAY_NOON + 29 * DAY)
    house.touch("cart.updated")
    assert [(one.result, one.reason) for one in house.decisions[1:]] == [("defer", "cap")]
    house.wait(MONDAY_NOON + 30 * DAY + timedelta(hours=2))
    assert len(house.all(Contact)) == 2
    assert house.all(Contact)[1].decided_at == MONDAY_NOON + timedelta(hours=1) + 30 * DAY


def test_the_rest_is_the_policys() -> None:
    rules = catalogue(
        campaign("winter", wave("tell", "email"), entry={"on": {"event": "cart.updated"}, "reentry": {"after": "1d"}}),
        policy=Policy(caps=(), after_decline="2d"),
    )
    house = House(rules)
    house.touch("offer.declined", campaign="winter")
    house.wait(MONDAY_NOON + DAY)
    house.touch("cart.updated")
    assert house.decisions[-1].until == MONDAY_NOON + 2 * DAY


def test_another_campaign_is_not_touched_by_it() -> None:
    house = House(catalogue(campaign("winter"), campaign("summer")))
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + timedelta(hours=1))
    house.touch("offer.declined", campaign="winter")
    assert [run.campaign for run in house.state.runs] == ["summer"]


def test_the_campaigns_own_branch_for_refusals_still_speaks() -> None:
    house = House(catalogue(campaign("winter", *WITH_BRANCH)))
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + timedelta(hours=1))
    said = house.touch("offer.declined", campaign="winter")
    assert [one.template for one in said if isinstance(one, Contact)] == ["understood"]


def test_of_two_matters_only_the_one_that_is_named_is_answered() -> None:
    house = House(catalogue(campaign("winter", wave("tell", "email"), entry={"on": {"event": "cart.updated"}, "key": "cart"})))
    house.touch("cart.updated", cart="a")
    house.touch("cart.updated", cart="b")
    house.wait(MONDAY_NOON + timedelta(hours=1))
    meant = house.state.runs[0]
    house.touch("offer.accepted", campaign="winter", run_id=meant.run_id)
    assert [run.entry_key for run in house.state.runs] == ["b"]


@pytest.mark.parametrize("data", [{}, {"campaign": 7}, {"campaign": "unheard-of"}])
def test_an_answer_to_no_offer_of_ours_changes_nothing(data: dict[str, Any]) -> None:
    house = House(catalogue(campaign("winter"), policy=NO_CAPS))
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + timedelta(hours=1))
    assert house.touch("offer.declined", **data) == []
    assert house.state.declined == {}


def test_what_an_absorbed_customer_declined_rests_for_the_one_who_remains() -> None:
    house = House(catalogue(campaign("winter")))
    house.touch("page.viewed")
    other = CustomerState(customer_id="c-2", profile=snapshot(customer_id="c-2"), declined={"winter": MONDAY_NOON - DAY})
    house.unit.states["c-2"] = other
    house.merge("c-2")
    assert house.state.declined == {"winter": MONDAY_NOON - DAY}


def test_a_merge_keeps_the_later_refusal_and_a_bounded_number() -> None:
    mine = {"a": MONDAY_NOON, "b": MONDAY_NOON + DAY}
    assert joined(mine, {"a": MONDAY_NOON + 2 * DAY, "c": MONDAY_NOON}) == {
        "c": MONDAY_NOON,
        "b": MONDAY_NOON + DAY,
        "a": MONDAY_NOON + 2 * DAY,
    }
    many = {f"c{n}": MONDAY_NOON + n * DAY for n in range(DECLINED_MAX + 5)}
    assert min(joined(many, {}).values()) == MONDAY_NOON + 5 * DAY


@pytest.mark.parametrize("run_id", [[1], {"a": 1}, 7, True])
def test_an_answer_that_names_no_run_of_ours_whatever_it_is_made_of_answers_none(run_id: Any) -> None:
    house = House(catalogue(campaign("winter")))
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + timedelta(hours=1))
    assert house.touch("offer.accepted", campaign="winter", run_id=run_id) == []

"""Corners of a merge that a law over random orders seldom meets: one instant, one that is long over, and merges of merges."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from nextwave_contracts.customers import CustomerAbsorbed, CustomersMerged
from nextwave_contracts.decisions import RunEnded, RunStarted
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House
from unit.orchestrator.two_customers import BILLS, DAY, HOUR, OTHER, absorbed, as_other, hold_back, house_of, told

THIRD = "c-2"


def test_of_two_runs_of_one_instant_in_one_matter_the_survivors_goes_on_alone() -> None:
    house = house_of(BILLS)
    house.touch("payment.failed", MONDAY_NOON, order_id="o1")
    as_other(house, "payment.failed", MONDAY_NOON, order_id="o1")
    mine, theirs = house.all(RunStarted)
    assert mine.at == theirs.at
    house.now += HOUR
    house.merge(OTHER)
    assert [(ended.run_id, ended.reason) for ended in house.all(RunEnded)] == [(theirs.run_id, "merged")]
    assert [run.run_id for run in house.state.runs] == [goal.run_id for goal in house.state.goals] == [mine.run_id]


@pytest.mark.parametrize("survivor_was_first", [True, False])
def test_a_campaign_that_one_of_both_left_long_ago_goes_on_for_neither(*, survivor_was_first: bool) -> None:
    """Neither the run nor its goal is open any more: the entry alone is remembered."""
    first, second = (House.touch, as_other) if survivor_was_first else (as_other, House.touch)
    house = house_of()
    first(house, "cart.updated")
    house.wait(MONDAY_NOON + 40 * DAY)
    first(house, "contract.renewed")
    second(house, "cart.updated")
    house.merge(OTHER)
    assert [ended.reason for ended in house.all(RunEnded)] == ["completed", "merged"]
    assert (house.state.runs, house.state.goals) == ((), ())
    assert list(house.state.entries.values()) == [MONDAY_NOON]


def absorbed_in_turn(house: House) -> None:
    """The survivor becomes part of a third one, whose profile does not name the first any more: only the newest are kept."""
    house.profile = replace(house.profile, customer_id=THIRD, version=9, absorbed=(CUSTOMER,))
    house.take(CustomersMerged(customer_id=THIRD, absorbed=CUSTOMER, at=house.now, profile=house.profile))
    house.take(CustomerAbsorbed(customer_id=CUSTOMER, into=THIRD, at=house.now))
    house.wait(house.now)


def test_who_is_handed_on_before_its_word_of_the_merge_was_heard_is_not_waited_for() -> None:
    """The word goes to the first survivor, who is nobody by then."""
    house = house_of()
    house.touch("page.viewed")
    absorbed(house)
    house.wait(house.now)
    assert house.state.waits(house.now)
    absorbed_in_turn(house)
    assert OTHER in house.state.joined
    assert not house.state.waits(house.now)


def test_a_word_of_a_merge_that_a_customer_hears_after_it_was_absorbed_makes_nobody_wait() -> None:
    house = house_of()
    house.touch("page.viewed")
    absorbed_in_turn(house)
    assert not house.state.awaits_word(house.now)
    survivor, house.profile = house.profile, replace(house.profile, customer_id=CUSTOMER, version=2, absorbed=())
    told(house)
    assert hold_back(house, "estate") == []
    house.profile = survivor
    assert OTHER not in house.state.joined
    assert not house.state.awaits_word(house.now)

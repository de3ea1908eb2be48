"""The two sides of a merge are read at different times: what waits meanwhile, for how long, and what is heard late."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from nextwave_contracts.actions import Contact
from nextwave_contracts.decisions import Decision, RunStarted, WaveClosed
from nextwave_orchestrator.fold import Decider
from nextwave_orchestrator.inheritance import PATIENCE
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, campaign, catalogue, snapshot, wave
from unit.orchestrator.two_customers import (
    DAY,
    HOUR,
    MINUTE,
    OTHER,
    absorbed,
    as_other,
    hold_back,
    house_of,
    told,
)

SORRY = {"refused": {"channel": "sms", "template": "sorry-sms"}}


@pytest.mark.parametrize("told_first", [True, False])
def test_an_entry_waits_until_both_sides_of_the_merge_are_known(*, told_first: bool) -> None:
    house = house_of()
    house.touch("page.viewed")
    first, second = (told, absorbed) if told_first else (absorbed, told)
    first(house)
    house.wait(house.now)
    assert house.touch("cart.updated", MONDAY_NOON + MINUTE) == []
    house.now += HOUR
    second(house)
    house.wait(house.now)
    (start,) = house.all(RunStarted)
    assert (start.customer_id, start.at, start.caused_by) == (CUSTOMER, MONDAY_NOON + MINUTE, "t4")
    assert len(house.all(Contact)) == 1


def test_a_profile_that_names_the_absorbed_is_word_enough_of_a_merge() -> None:
    """The message of the merge itself may come later, through another partition of scoring."""
    house = house_of()
    house.touch("page.viewed")
    house.profile = snapshot(version=2, absorbed=(OTHER,))
    assert house.touch("cart.updated") == []
    absorbed(house)
    assert [type(message) for message in house.wait(house.now)] == [RunStarted, Decision, Contact]


def test_an_entry_that_waited_is_not_let_in_where_the_other_one_was_before() -> None:
    house = house_of()
    house.touch("page.viewed")
    told(house)
    assert house.touch("cart.updated", MONDAY_NOON + MINUTE) == []
    as_other(house, "cart.updated")  # its partition has not heard of the merge yet
    absorbed(house)
    house.wait(house.now)
    assert [start.customer_id for start in house.all(RunStarted)] == [OTHER]
    assert [run.campaign for run in house.state.runs] == ["winter"]


def test_an_entry_that_waited_is_not_let_into_a_campaign_that_was_paused_meanwhile() -> None:
    house = house_of()
    told(house)
    house.touch("cart.updated")
    house.change(states={"winter": "paused"}, live=())
    absorbed(house)
    assert house.wait(house.now) == []
    assert house.state.wishes == ()


def test_no_wave_closes_and_nobody_is_contacted_while_the_other_side_is_missing() -> None:
    house = house_of()
    house.touch("cart.updated")
    told(house)
    assert house.wait(MONDAY_NOON + 3 * DAY) == []
    absorbed(house)
    house.wait(house.now)
    assert [(closed.wave, closed.at) for closed in house.all(WaveClosed)] == [("tell", MONDAY_NOON + 2 * DAY)]
    assert [contact.wave for contact in house.all(Contact)] == ["tell", "again"]


def test_a_refusal_while_the_other_side_is_missing_moves_on_without_a_contact_yet() -> None:
    rules = catalogue(campaign("winter", wave("tell", "email"), wave("sorry", enter={"after": "tell", "on": SORRY})))
    house = house_of(rules)
    house.touch("cart.updated")
    told(house)
    house.outcome("refused", house.all(Contact)[0])
    assert (house.run.wave, len(house.all(Contact))) == ("sorry", 1)
    absorbed(house)
    house.wait(house.now)
    assert [contact.wave for contact in house.all(Contact)] == ["tell", "sorry"]


def test_a_late_answer_of_the_absorbed_customer_is_waited_for_by_the_wave_that_it_answers() -> None:
    """It lay in the outbox of another partition of scoring when the merge was made known."""
    house = house_of()
    as_other(house, "cart.updated")
    house.now += 47 * HOUR
    told(house)
    absorbed(house)
    last_word = hold_back(house, "last_word")
    assert house.wait(MONDAY_NOON + 3 * DAY) == []
    as_other(house, "page.viewed", MONDAY_NOON + 46 * HOUR, path="/renew")
    house.wait(house.now)
    assert [(closed.customer_id, closed.responded) for closed in house.all(WaveClosed)] == [(CUSTOMER, True)]
    house.timers += last_word
    house.wait(house.now + 30 * DAY)
    assert [contact.wave for contact in house.all(Contact)] == ["tell"]


def test_a_wave_closes_when_nothing_more_can_be_heard_of_the_absorbed_customer() -> None:
    house = house_of()
    as_other(house, "cart.updated")
    told(house)
    absorbed(house)
    last_word = hold_back(house, "last_word")
    assert [timer.gate for timer in last_word] == ["watermark"]
    assert house.wait(MONDAY_NOON + 3 * DAY) == []
    house.timers += last_word
    house.wait(house.now)
    assert [(closed.wave, closed.responded) for closed in house.all(WaveClosed)] == [("tell", False)]


def test_what_is_left_is_handed_over_also_while_the_clock_is_not_sure() -> None:
    house = house_of()
    absorbed(house)
    (estate,) = hold_back(house, "estate")
    assert (estate.gate, estate.kind in Decider.hands_over) == ("clock", True)


def test_a_late_word_of_the_absorbed_customer_lets_the_survivor_in() -> None:
    house = house_of()
    house.merge(OTHER)
    assert as_other(house, "cart.updated", MONDAY_NOON - MINUTE) == []
    house.wait(house.now)
    assert [(start.customer_id, start.at) for start in house.all(RunStarted)] == [(CUSTOMER, MONDAY_NOON - MINUTE)]


def test_who_was_never_heard_of_is_not_waited_for_long() -> None:
    house = house_of()
    house.merge("c-never-seen")
    assert isinstance(house.touch("cart.updated")[0], RunStarted)
    assert house.unit.states["c-never-seen"].absorbed_into == CUSTOMER


def test_nothing_waits_for_ever_for_what_was_lost() -> None:
    """The word of the merge to the absorbed customer was rejected, say."""
    house = house_of()
    house.touch("cart.updated")
    told(house)
    house.touch("cart.updated", MONDAY_NOON + HOUR)
    house.wait(MONDAY_NOON + PATIENCE - MINUTE)
    assert house.all(WaveClosed) == []
    house.wait(MONDAY_NOON + 30 * DAY)
    assert [closed.wave for closed in house.all(WaveClosed)] == ["tell", "again"]
    assert (house.state.runs, house.state.wishes) == ((), ())


def test_words_while_it_is_waited_make_the_waiting_no_longer() -> None:
    house = house_of()
    told(house)
    until = house.state.joined[OTHER].until
    house.now += DAY
    house.touch("cart.updated")
    assert (house.state.joined[OTHER].until, until) == (MONDAY_NOON + PATIENCE, MONDAY_NOON + PATIENCE)


def test_a_merge_of_long_ago_that_a_profile_still_names_is_not_waited_for() -> None:
    house = house_of()
    house.unit.states[CUSTOMER] = replace(house.state, profile=snapshot(absorbed=("c-old",)))
    house.profile = snapshot(version=2, absorbed=("c-old",))
    assert isinstance(house.touch("cart.updated")[0], RunStarted)

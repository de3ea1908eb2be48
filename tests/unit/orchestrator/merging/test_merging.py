"""Two customers turn out to be one: what they were in, what binds them, and what they said goes on as one, exactly once."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from nextwave_contracts.actions import Contact, Withdraw
from nextwave_contracts.customers import Consent, CustomerAbsorbed, CustomersMerged
from nextwave_contracts.decisions import GoalReached, RunEnded, RunStarted, WaveClosed
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House, campaign, catalogue, snapshot, wave
from unit.orchestrator.two_customers import (
    BILLS,
    DAY,
    HOUR,
    MINUTE,
    OTHER,
    TWO_WAVES,
    absorbed,
    as_other,
    hold_back,
    house_of,
    told,
)


def test_nobody_is_let_into_a_campaign_again_that_one_of_both_went_through() -> None:
    house = house_of()
    as_other(house, "cart.updated")
    house.wait(MONDAY_NOON + 10 * DAY)
    house.merge(OTHER)
    house.touch("cart.updated")
    assert [(start.customer_id, start.at) for start in house.all(RunStarted)] == [(OTHER, MONDAY_NOON)]


def test_a_contact_decided_just_before_a_merge_counts_for_the_caps_of_both() -> None:
    """Scoring hears of a contact by its outcomes alone: of one that is under way it knows nothing."""
    rules = catalogue(
        campaign("winter", *TWO_WAVES),
        campaign("spring", wave("tell", "email"), entry={"on": {"event": "page.viewed"}}),
        policy=Policy(caps=(Cap(most=1, per="24h"),)),
    )
    house = house_of(rules)
    as_other(house, "cart.updated")
    house.now += MINUTE
    house.merge(OTHER)
    house.touch("page.viewed")
    assert [(d.customer_id, d.result, d.until) for d in house.decisions] == [
        (OTHER, "act", None),
        (CUSTOMER, "defer", MONDAY_NOON + DAY),
    ]


def test_a_run_of_the_absorbed_customer_goes_on_with_the_survivor() -> None:
    house = house_of()
    as_other(house, "cart.updated")
    house.now += HOUR
    house.merge(OTHER)
    assert house.all(RunEnded) == []
    house.wait(MONDAY_NOON + 10 * DAY)
    (start,) = house.all(RunStarted)
    assert {(c.run_id, c.customer_id, c.wave) for c in house.all(WaveClosed)} == {
        (start.run_id, CUSTOMER, "tell"),
        (start.run_id, CUSTOMER, "again"),
    }
    assert [(c.customer_id, c.wave) for c in house.all(Contact)] == [(OTHER, "tell"), (CUSTOMER, "again")]
    assert [(e.run_id, e.reason) for e in house.all(RunEnded)] == [(start.run_id, "completed")]


def test_what_was_queued_for_the_absorbed_customer_is_taken_back_once() -> None:
    """It was addressed without the names by which the other one may have said stop."""
    house = house_of()
    as_other(house, "cart.updated")
    (contact,) = house.all(Contact)
    house.merge(OTHER)
    house.touch("page.viewed", path="/renew")
    taken_back = [(w.customer_id, w.action_id, w.reason) for w in house.all(Withdraw)]
    assert taken_back == [(OTHER, contact.action_id, "merged")]
    assert [closed.responded for closed in house.all(WaveClosed)] == [True]


@pytest.mark.parametrize("ours_first", [True, False])
def test_of_two_runs_in_one_matter_the_first_goes_on(*, ours_first: bool) -> None:
    house = house_of(BILLS)
    house.touch("payment.failed", MONDAY_NOON + (0 if ours_first else 2) * MINUTE, order_id="o1")
    as_other(house, "payment.failed", MONDAY_NOON + MINUTE, order_id="o1")
    as_other(house, "payment.failed", MONDAY_NOON + MINUTE, order_id="o2")
    mine, theirs, other = house.all(RunStarted)
    house.merge(OTHER)
    first, second = (mine, theirs) if ours_first else (theirs, mine)
    assert [(ended.run_id, ended.reason) for ended in house.all(RunEnded)] == [(second.run_id, "merged")]
    assert {run.run_id for run in house.state.runs} == {goal.run_id for goal in house.state.goals} == {first.run_id, other.run_id}


def test_where_re_entry_was_due_the_later_run_goes_on() -> None:
    house = house_of(catalogue(campaign("winter", *TWO_WAVES, entry={"on": {"event": "cart.updated"}, "reentry": {"after": "1h"}})))
    as_other(house, "cart.updated")
    house.touch("cart.updated", MONDAY_NOON + HOUR)
    replaced, later = house.all(RunStarted)
    house.merge(OTHER)
    assert [ended.run_id for ended in house.all(RunEnded)] == [replaced.run_id]
    assert house.run.run_id == later.run_id


def test_a_run_ends_where_the_other_one_had_been_through_the_campaign() -> None:
    house = house_of()
    as_other(house, "cart.updated")
    house.wait(MONDAY_NOON + 10 * DAY)
    house.touch("cart.updated")
    house.merge(OTHER)
    assert [(ended.customer_id, ended.reason) for ended in house.all(RunEnded)] == [(OTHER, "completed"), (CUSTOMER, "merged")]


def test_what_either_received_counts_for_the_open_waves_and_goals_of_both() -> None:
    for who, said in (("survivor", as_other), ("absorbed", House.touch)):
        house = house_of()
        (House.touch if who == "survivor" else as_other)(house, "cart.updated")
        said(house, "page.viewed", MONDAY_NOON + MINUTE, path="/renew")
        house.now += HOUR
        house.merge(OTHER)
        assert [(c.responded, c.at) for c in house.all(WaveClosed)] == [(True, MONDAY_NOON + MINUTE)]
        said_goal = house.touch("contract.renewed")
        assert [type(message) for message in said_goal] == [GoalReached]


def test_what_was_received_before_a_run_began_is_no_answer_to_it_after_a_merge_either() -> None:
    house = house_of()
    house.touch("page.viewed", MONDAY_NOON - MINUTE, path="/renew")
    house.touch("contract.renewed", MONDAY_NOON - MINUTE)
    as_other(house, "cart.updated")
    house.merge(OTHER)
    assert (house.all(WaveClosed), house.all(GoalReached)) == ([], [])


def test_a_failure_heard_by_the_absorbed_customer_gives_the_cap_back() -> None:
    house = house_of()
    as_other(house, "cart.updated")
    (contact,) = house.all(Contact)
    house.merge(OTHER)
    mine, house.profile = house.profile, snapshot(customer_id=OTHER)
    house.outcome("failed", contact)
    house.profile = mine
    house.wait(house.now)
    assert [(r.action_id, r.at, r.counts) for r in house.state.reservations] == [(contact.action_id, MONDAY_NOON, False)]


def test_what_is_queued_for_the_survivor_is_taken_back_where_the_other_one_had_said_stop() -> None:
    house = house_of(catalogue(campaign("winter", *TWO_WAVES), campaign("care", wave("tell", "sms"), purpose="care")))
    house.touch("cart.updated")
    stop = Consent(channel="email", purpose="", granted=False, at=MONDAY_NOON - DAY)
    house.profile = replace(house.profile, consents=(stop,))
    house.merge(OTHER)
    assert [(w.customer_id, w.reason) for w in house.all(Withdraw)] == [(CUSTOMER, "no_consent")]


def test_a_survivor_who_is_absorbed_in_turn_passes_everything_on() -> None:
    """Whether what the first one had comes before or after that."""
    for late in (False, True):
        house = house_of(BILLS)
        as_other(house, "payment.failed", order_id="o1")
        house.touch("payment.failed", order_id="o2")
        told(house)
        absorbed(house)
        held = hold_back(house, "estate") if late else []
        house.wait(house.now)
        house.profile = replace(house.profile, customer_id="c-2", version=9, absorbed=(OTHER, CUSTOMER))
        house.take(CustomersMerged(customer_id="c-2", absorbed=CUSTOMER, at=house.now, profile=house.profile))
        house.take(CustomerAbsorbed(customer_id=CUSTOMER, into="c-2", at=house.now))
        house.wait(house.now)
        house.timers += held
        house.wait(house.now)
        assert {run.entry_key for run in house.state.runs} == {"o1", "o2"}
        assert not house.state.waits(house.now)
        assert not house.state.awaits_word(house.now)
        house.touch("payment.failed", order_id="o1")
        assert len(house.all(RunStarted)) == 2

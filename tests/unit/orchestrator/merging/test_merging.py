"""Two customers turn out to be one: what they were in, what binds them, and what they said goes on as one, exactly once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from nextwave_contracts.actions import Contact, Withdraw
from nextwave_contracts.customers import Consent, CustomerAbsorbed, CustomersMerged
from nextwave_contracts.decisions import Decision, GoalReached, RunEnded, RunStarted, WaveClosed
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.inheritance import PATIENCE
from nextwave_runtime.application import Timer
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House, campaign, catalogue, snapshot, wave

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OTHER = "c-0"
TWO_WAVES = (wave("tell", "email"), wave("again", "email", enter={"after": "tell", "unless": "responded"}))
WINTER = catalogue(campaign("winter", *TWO_WAVES))
BILLS = catalogue(campaign("bills", *TWO_WAVES, entry={"on": {"event": "payment.failed"}, "key": "order_id"}))


def house_of(rules: Catalogue = WINTER) -> House:
    return House(rules)


def as_other(house: House, kind: str, at: datetime | None = None, **data: Any) -> list[Any]:
    """A touchpoint of the other customer."""
    mine, house.profile = house.profile, snapshot(customer_id=OTHER)
    said = house.touch(kind, at, **data)
    house.profile = mine
    return said


def told(house: House) -> None:
    """The survivor hears of the merge; what the absorbed customer had has not come yet."""
    house.profile = replace(house.profile, version=house.profile.version + 1, absorbed=(OTHER,))
    house.take(CustomersMerged(customer_id=CUSTOMER, absorbed=OTHER, at=house.now, profile=house.profile))


def absorbed(house: House) -> list[Any]:
    """The absorbed customer hears of it; what it had is on its way."""
    return house.take(CustomerAbsorbed(customer_id=OTHER, into=CUSTOMER, at=house.now))


def hold_back(house: House, kind: str) -> list[Timer]:
    """Takes timers of a kind out, for instance because their partition stands still."""
    held = [timer for timer in house.timers if timer.kind == kind]
    house.timers = [timer for timer in house.timers if timer.kind != kind]
    return held


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


def test_of_two_runs_in_one_matter_the_survivors_goes_on() -> None:
    house = house_of(BILLS)
    for order in ("o1", "o2"):
        as_other(house, "payment.failed", order_id=order)
    house.touch("payment.failed", order_id="o1")
    doubled, other, mine = house.all(RunStarted)
    house.merge(OTHER)
    assert [(ended.run_id, ended.reason) for ended in house.all(RunEnded)] == [(doubled.run_id, "merged")]
    assert {run.run_id for run in house.state.runs} == {other.run_id, mine.run_id}
    assert {goal.run_id for goal in house.state.goals} == {other.run_id, mine.run_id}


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


SORRY = {"refused": {"channel": "sms", "template": "sorry-sms"}}


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


def test_a_late_word_of_the_absorbed_customer_lets_the_survivor_in() -> None:
    house = house_of()
    house.merge(OTHER)
    assert as_other(house, "cart.updated", MONDAY_NOON - MINUTE) == []
    house.wait(house.now)
    assert [(start.customer_id, start.at) for start in house.all(RunStarted)] == [(CUSTOMER, MONDAY_NOON - MINUTE)]


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


def test_who_was_never_heard_of_is_not_waited_for_long() -> None:
    house = house_of()
    house.merge("c-never-seen")
    assert isinstance(house.touch("cart.updated")[0], RunStarted)
    assert house.unit.states["c-never-seen"].absorbed_into == CUSTOMER


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

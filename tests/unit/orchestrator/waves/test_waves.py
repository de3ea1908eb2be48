"""A customer's way through the waves of a campaign."""

from __future__ import annotations

from datetime import timedelta

import pytest
from nextwave_contracts.actions import Contact, Withdraw
from nextwave_contracts.customers import Consent, ContactPoint
from nextwave_contracts.decisions import GoalReached, RunEnded, RunStarted, WaveClosed
from nextwave_contracts.identifiers import INTERNAL, blind
from unit.orchestrator.decision_world import KEY, MONDAY_NOON, House, campaign, catalogue, snapshot, wave

MS = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

TELL_THEN_CALL = (wave("tell", "email"), wave("call", "call", enter={"after": "tell", "unless": "responded"}, window="5d"))
BRANCHES = wave(
    "missed",
    window="7d",
    enter={
        "after": "call",
        "on": {"missed": {"channel": "sms", "template": "sorry"}, "refused": {"channel": "email", "template": "no-more"}},
    },
)


def two_waves() -> House:
    return House(catalogue(campaign("winter", *TELL_THEN_CALL)))


def three_waves_at_the_call() -> tuple[House, Contact]:
    house = House(catalogue(campaign("winter", *TELL_THEN_CALL, BRANCHES)))
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + 2 * DAY)
    return house, house.all(Contact)[-1]


def test_an_entry_event_starts_a_run_and_contacts_the_customer_on_the_first_permitted_channel() -> None:
    house = House(catalogue(campaign("winter", wave("tell", "webpush", "email"))))
    started, decision, contact = house.touch("cart.updated")
    assert isinstance(started, RunStarted)
    assert (decision.result, decision.reason, decision.channel) == ("act", "permitted", "email")
    assert [attempt.code for attempt in decision.attempts] == ["no_address", "permitted"]
    assert isinstance(contact, Contact)
    assert (contact.action_id, contact.channel, contact.address) == (decision.action_id, "email", "ann@example.com")
    assert contact.not_after == MONDAY_NOON + 2 * DAY
    assert len(contact.subjects) == 3


@pytest.mark.parametrize(
    ("channel", "address", "name"),
    [
        ("sms", "+49 151 12345678", "phone:+4915112345678"),
        ("call", "+4915112345678", "phone:+4915112345678"),
        ("email", "Ann@Example.com", "email:ann@example.com"),
        ("webpush", "tok-1", "device_token:tok-1"),
        ("sms", "no number", "phone:no number"),
    ],
)
def test_a_stop_from_the_address_itself_reaches_its_contact_whoever_owns_the_name(channel: str, address: str, name: str) -> None:
    profile = snapshot(identifiers=("customer_id:7",), contact_points=(ContactPoint(channel=channel, address=address),))
    house = House(catalogue(campaign("winter", wave("tell", channel))), profile=profile)
    house.touch("cart.updated")
    (contact,) = house.all(Contact)
    assert contact.subjects == tuple(blind(n, KEY) for n in (INTERNAL + profile.customer_id, name, "customer_id:7"))
    assert contact.address_subject == blind(name, KEY)


def test_an_unsubscribe_link_sent_before_a_merge_stops_contacts_of_the_survivor() -> None:
    house = House(catalogue(campaign("winter", wave("tell", "email"))))
    house.merge("c-8")
    house.merge("c-9")
    house.touch("cart.updated")
    (contact,) = house.all(Contact)
    assert {blind(INTERNAL + one, KEY) for one in ("c-1", "c-8", "c-9")} <= set(contact.subjects)


def test_a_response_at_the_last_millisecond_keeps_the_customer_out_of_the_next_wave() -> None:
    house = two_waves()
    house.touch("cart.updated")
    closes_at = house.run.closes_at
    house.now = closes_at + HOUR  # the answer sat in a queue; no close timer fired before it was taken in
    said = house.touch("page.viewed", closes_at - MS, path="/renew")
    house.wait(closes_at + 10 * DAY)
    assert isinstance(said[0], WaveClosed)
    assert said[0].responded
    assert [message.reason for message in house.all(RunEnded)] == ["responded"]
    assert [contact.wave for contact in house.all(Contact)] == ["tell"]


@pytest.mark.parametrize("late", [timedelta(0), MS])
def test_a_response_between_the_windows_end_and_the_closing_answers_the_next_wave_before_it_contacts(late: timedelta) -> None:
    house = two_waves()
    house.touch("cart.updated")
    closes_at = house.run.closes_at
    house.now = closes_at + HOUR  # the close timer still waits for what others have not taken in
    assert house.touch("page.viewed", closes_at + late, path="/renew") == []
    house.wait(closes_at + HOUR)
    assert [(c.wave, c.responded, c.at) for c in house.all(WaveClosed)] == [("tell", False, closes_at), ("call", True, closes_at + late)]
    assert [contact.wave for contact in house.all(Contact)] == ["tell"]
    assert house.state.runs == ()


def test_what_is_no_response_between_the_windows_end_and_the_closing_changes_nothing() -> None:
    house = two_waves()
    house.touch("cart.updated")
    closes_at = house.run.closes_at
    house.now = closes_at + HOUR
    house.touch("page.viewed", closes_at + MS, path="/elsewhere")
    house.wait(closes_at + HOUR)
    assert [contact.wave for contact in house.all(Contact)] == ["tell", "call"]


def test_what_came_before_the_wave_opened_is_no_response_to_it() -> None:
    house = two_waves()
    house.touch("cart.updated")
    assert house.touch("page.viewed", MONDAY_NOON - MS, path="/renew") == []
    assert house.run.responded_at is None


def test_a_silent_wave_leads_to_the_next_and_the_last_one_completes_the_run() -> None:
    house = two_waves()
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + 30 * DAY)
    assert [(c.wave, c.responded, c.reach) for c in house.all(WaveClosed)] == [("tell", False, "missed"), ("call", False, "missed")]
    assert [message.reason for message in house.all(RunEnded)] == ["completed"]
    assert house.state.runs == ()


def test_stale_close_and_retry_timers_are_ignored() -> None:
    house = two_waves()
    house.touch("cart.updated")
    (close,) = house.timers
    house.touch("page.viewed", MONDAY_NOON + HOUR, path="/renew")
    assert house.fire(close) == []
    house.change(states={"winter": "published"})
    other = two_waves()
    other.touch("cart.updated")
    (close,) = other.timers
    other.wait(close.due_at)
    before = other.state
    assert other.fire(close) == []
    assert other.state == before


def test_a_goal_ends_the_run_and_withdraws_what_is_queued() -> None:
    house = two_waves()
    house.touch("cart.updated")
    contact = house.all(Contact)[0]
    said = house.touch("contract.renewed", MONDAY_NOON + HOUR)
    assert [type(message) for message in said] == [GoalReached, WaveClosed, Withdraw, RunEnded]
    assert said[0].value == 12_000
    assert (said[2].action_id, said[2].reason) == (contact.action_id, "goal")
    assert house.touch("contract.renewed", MONDAY_NOON + 2 * HOUR) == []


def test_a_goal_after_the_run_is_counted_within_its_time_and_not_later() -> None:
    house = two_waves()
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + 20 * DAY)
    assert house.state.runs == ()
    assert [type(message) for message in house.touch("contract.renewed")] == [GoalReached]
    late = two_waves()
    late.touch("cart.updated")
    late.wait(MONDAY_NOON + 30 * DAY)
    assert late.touch("contract.renewed") == []


def test_a_missed_call_takes_the_branch_of_the_missed() -> None:
    house, call = three_waves_at_the_call()
    house.outcome("no_answer", call, house.now + HOUR)
    house.wait(house.run.closes_at)
    assert (house.all(Contact)[-1].channel, house.all(Contact)[-1].template) == ("sms", "sorry")


def test_what_was_delivered_after_all_did_not_fail() -> None:
    house = two_waves()
    _, _, contact = house.touch("cart.updated")
    house.outcome("failed", contact)
    assert house.run.reach == "failed"
    house.outcome("delivered", contact)
    assert house.run.reach is None


def test_a_refusal_moves_to_its_branch_at_once() -> None:
    house, call = three_waves_at_the_call()
    house.outcome("answered", call, house.now + HOUR)
    assert house.run.wave == "call"  # an answer is provisional until the wrap-up
    house.now += 2 * HOUR
    house.touch("call.wrapped_up", action_id=call.action_id, disposition="refused", refusal=True)
    closed = house.all(WaveClosed)[-1]
    assert (closed.wave, closed.responded, closed.reach) == ("call", False, "refused")
    assert (house.all(Contact)[-1].channel, house.all(Contact)[-1].template) == ("email", "no-more")


def test_a_refusal_without_a_branch_ends_the_run_as_suppressed() -> None:
    house = House(
        catalogue(campaign("winter", wave("call", "call"), wave("more", "email", enter={"after": "call", "unless": "responded"})))
    )
    house.touch("cart.updated")
    house.touch("call.wrapped_up", action_id=house.all(Contact)[0].action_id, refusal=True)
    assert [message.reason for message in house.all(RunEnded)] == ["suppressed"]


def test_an_answered_call_is_a_response_once_wrapped_up_without_a_refusal() -> None:
    house, call = three_waves_at_the_call()
    house.outcome("answered", call, house.now + HOUR)
    house.touch("call.wrapped_up", house.now + 2 * HOUR, action_id=call.action_id, disposition="accepted", refusal=False)
    assert house.all(WaveClosed)[-1].responded
    assert [message.reason for message in house.all(RunEnded)] == ["responded"]


def test_an_answered_call_without_wrap_up_is_a_response_when_the_window_ends() -> None:
    house, call = three_waves_at_the_call()
    house.outcome("answered", call, house.now + HOUR)
    house.wait(house.run.closes_at)
    assert house.all(WaveClosed)[-1].responded


def test_who_was_never_contacted_was_not_missed() -> None:
    house = House(catalogue(campaign("winter", wave("call", "call"), BRANCHES)), profile=snapshot(contact_points=()))
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + 30 * DAY)
    assert [decision.reason for decision in house.decisions] == ["no_address"]
    assert [message.reason for message in house.all(RunEnded)] == ["completed"]


def test_a_consent_withdrawn_between_waves_stops_the_next_one() -> None:
    house = two_waves()
    house.touch("cart.updated")
    withdrawn = Consent(channel="call", purpose="", granted=False, at=MONDAY_NOON + HOUR)
    house.profile = snapshot(version=2, consents=(*house.profile.consents, withdrawn))
    house.touch("consent.withdrawn", MONDAY_NOON + HOUR, channel="call", purpose="")
    house.wait(MONDAY_NOON + 3 * DAY)
    assert [(d.wave, d.result, d.reason) for d in house.decisions] == [("tell", "act", "permitted"), ("call", "withhold", "no_consent")]


def test_a_deferred_candidate_is_tried_again_at_the_instant_with_a_decision_of_its_own() -> None:
    house = House(catalogue(campaign("winter", wave("call", "call"))), now=MONDAY_NOON + timedelta(hours=5))  # 19:00 in Berlin
    house.touch("cart.updated")
    (first,) = house.decisions
    assert (first.result, first.reason, first.until) == ("defer", "hours", MONDAY_NOON + timedelta(hours=18))
    house.wait(MONDAY_NOON + timedelta(hours=18))
    assert [d.result for d in house.decisions] == ["defer", "act"]
    assert house.decisions[0].decision_id != house.decisions[1].decision_id


def test_a_paused_campaign_holds_its_waves_until_it_is_resumed() -> None:
    house = two_waves()
    house.touch("cart.updated")
    house.change(states={"winter": "paused"}, live=())
    house.wait(MONDAY_NOON + 4 * DAY)
    assert house.all(WaveClosed) == []
    house.change(states={"winter": "published"})
    house.wait(MONDAY_NOON + 4 * DAY + HOUR)
    assert [contact.wave for contact in house.all(Contact)] == ["tell", "call"]


def test_an_ended_campaign_ends_its_runs_and_sends_nothing_more() -> None:
    house = two_waves()
    house.touch("cart.updated")
    house.change(states={"winter": "ended"}, live=())
    said = house.touch("page.viewed", MONDAY_NOON + HOUR)
    assert [type(message) for message in said] == [Withdraw, RunEnded]
    assert said[1].reason == "campaign_ended"
    assert house.wait(MONDAY_NOON + 30 * DAY) == []


def test_a_response_withdraws_a_contact_that_is_still_queued_but_not_one_that_was_read() -> None:
    queued = two_waves()
    queued.touch("cart.updated")
    queued.touch("page.viewed", MONDAY_NOON + HOUR, path="/renew")
    assert [message.reason for message in queued.all(Withdraw)] == ["responded"]
    read = two_waves()
    read.touch("cart.updated")
    read.outcome("opened", read.all(Contact)[0], MONDAY_NOON + HOUR)
    read.touch("page.viewed", MONDAY_NOON + 2 * HOUR, path="/renew")
    assert read.all(Withdraw) == []


def test_a_follow_up_without_condition_also_follows_a_response() -> None:
    house = House(catalogue(campaign("winter", wave("tell", "email"), wave("thank", "email", enter={"after": "tell"}))))
    house.touch("cart.updated")
    house.touch("page.viewed", MONDAY_NOON + HOUR, path="/renew")
    assert [contact.wave for contact in house.all(Contact)] == ["tell", "thank"]


def test_people_in_flight_finish_the_version_they_entered() -> None:
    old = campaign("winter", *TELL_THEN_CALL)
    new = campaign("winter", wave("tell", "sms"), version=2)
    house = House(catalogue(old))
    house.touch("cart.updated")
    house.change(campaigns={("winter", 1): old, ("winter", 2): new}, live=(new,))
    house.wait(MONDAY_NOON + 2 * DAY)
    assert [(contact.version, contact.wave) for contact in house.all(Contact)] == [(1, "tell"), (1, "call")]

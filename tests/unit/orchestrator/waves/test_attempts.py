"""Several attempts at one call: each a candidate of its own, all of them one contact."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from nextwave_contracts.actions import Contact, Withdraw
from nextwave_contracts.customers import Consent, CustomersMerged, PastContact
from nextwave_contracts.decisions import RunEnded, WaveClosed
from nextwave_orchestrator.campaigns.checks import campaign_faults, policy_faults
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from nextwave_orchestrator.caps import CapRule, used
from nextwave_orchestrator.decisions import answer, answer_in
from unit.orchestrator.decision_world import MONDAY_NOON, NO_CAPS, House, campaign, catalogue, snapshot, wave

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEKLY = CapRule(1, 7 * 86_400.0)
MAIL = campaign("mail", wave("tell", "email"), entry={"on": {"event": "product.viewed"}})
MISSED = wave("missed", window="2d", enter={"after": "call", "on": {"missed": {"channel": "sms", "template": "sorry"}}})


def calling(attempts: int = 3, spacing: str = "2h", window: str = "5d", policy: Policy = NO_CAPS) -> House:
    """Somebody who is to be called, at 14:00 in Berlin."""
    channels = [{"channel": "call", "list": "renewals", "script": "Hello", "attempts": attempts, "spacing": spacing}]
    call = wave("call", window=window, mixes=[{"segment": "*", "channels": channels}])
    house = House(catalogue(campaign("winter", call, MISSED), policy=policy))
    house.touch("cart.updated")
    return house


def calls(house: House) -> list[Contact]:
    return [contact for contact in house.all(Contact) if contact.channel == "call"]


@pytest.mark.parametrize("unanswered", ["no_answer", "busy"])
def test_who_does_not_answer_is_called_again_after_the_spacing_and_missed_after_the_last_attempt(unanswered: str) -> None:
    house = calling(attempts=2)
    house.outcome(unanswered, calls(house)[0], MONDAY_NOON + HOUR)
    assert house.run.reach is None
    house.wait(MONDAY_NOON + 3 * HOUR)
    first, second = calls(house)
    assert (second.decided_at, second.attempt, second.attempts) == (MONDAY_NOON + 3 * HOUR, 2, 2)
    assert second.action_id == f"{first.action_id}-2"
    house.outcome(unanswered, second)
    assert house.run.reach == "missed"
    house.wait(MONDAY_NOON + 5 * DAY)
    assert len(calls(house)) == 2
    assert [(c.wave, c.reach) for c in house.all(WaveClosed)] == [("call", "missed")]
    assert house.all(Contact)[-1].template == "sorry"


def test_a_further_attempt_goes_through_the_gate_and_takes_no_place_in_a_cap() -> None:
    house = calling(spacing="5h", policy=Policy(caps=(Cap(most=1, per="7d"),)))
    house.outcome("no_answer", calls(house)[0])
    house.wait(MONDAY_NOON + 5 * HOUR)  # 19:00 in Berlin
    assert [(d.attempt, d.result, d.reason) for d in house.decisions] == [(1, "act", "permitted"), (2, "defer", "hours")]
    house.wait(MONDAY_NOON + 18 * HOUR)
    assert [(d.attempt, d.result) for d in house.decisions] == [(1, "act"), (2, "defer"), (2, "act")]
    assert used(WEEKLY, house.state.reservations, house.now) == [MONDAY_NOON + 18 * HOUR]
    house.outcome("no_answer", calls(house)[1])
    assert used(WEEKLY, house.state.reservations, house.now) == [MONDAY_NOON + 18 * HOUR]
    for judged in house.unit.judged:
        assert answer(judged.given) == answer_in(judged.decision)


def test_a_consent_withdrawn_between_attempts_ends_them() -> None:
    house = calling()
    house.outcome("no_answer", calls(house)[0])
    no_calls = Consent(channel="call", purpose="", granted=False, at=MONDAY_NOON)
    house.profile = snapshot(version=2, consents=(*house.profile.consents, no_calls))
    house.touch("consent.withdrawn", channel="call", purpose="")
    house.wait(MONDAY_NOON + 5 * DAY)
    assert [(d.attempt, d.reason) for d in house.decisions[:2]] == [(1, "permitted"), (2, "no_consent")]
    assert [(c.wave, c.reach) for c in house.all(WaveClosed)] == [("call", "missed")]


def test_there_is_no_attempt_that_would_come_after_the_window() -> None:
    house = calling(window="90m")
    house.outcome("no_answer", calls(house)[0])
    assert house.run.reach == "missed"
    house.wait(MONDAY_NOON + DAY)
    assert len(calls(house)) == 1


def test_the_same_word_heard_again_and_late_word_of_an_earlier_attempt_make_no_further_one() -> None:
    house = calling()
    first = calls(house)[0]
    house.outcome("busy", first)
    house.outcome("no_answer", first, MONDAY_NOON + HOUR)
    house.wait(MONDAY_NOON + 2 * HOUR)
    house.outcome("no_answer", first)
    assert house.run.reach is None
    house.wait(MONDAY_NOON + 2 * DAY)
    assert [(contact.attempt, contact.decided_at) for contact in calls(house)] == [(1, MONDAY_NOON), (2, MONDAY_NOON + 2 * HOUR)]


@pytest.mark.parametrize(("what", "data"), [("page.viewed", {"path": "/renew"}), ("contract.renewed", {})])
def test_an_answer_before_the_next_attempt_is_the_end_of_them(what: str, data: dict[str, Any]) -> None:
    house = calling()
    house.outcome("no_answer", calls(house)[0])
    house.touch(what, MONDAY_NOON + HOUR, **data)
    house.wait(MONDAY_NOON + 5 * DAY)
    assert len(calls(house)) == 1
    assert len(house.all(RunEnded)) == 1


def test_an_earlier_attempt_that_was_answered_after_all_takes_the_next_one_back() -> None:
    house = calling()
    first = calls(house)[0]
    house.outcome("no_answer", first)
    house.outcome("answered", first)
    assert house.run.retry_at is None
    late = calling()
    late.outcome("no_answer", calls(late)[0])
    late.wait(MONDAY_NOON + 2 * HOUR)
    late.outcome("answered", calls(late)[0])
    assert [w.action_id for w in late.all(Withdraw)] == [calls(late)[1].action_id]
    assert late.run.reach == "reached"


def test_a_refusal_at_the_second_attempt_ends_the_way() -> None:
    house = calling()
    house.outcome("no_answer", calls(house)[0])
    house.wait(MONDAY_NOON + 2 * HOUR)
    house.touch("call.wrapped_up", action_id=calls(house)[1].action_id, refusal=True)
    assert [message.reason for message in house.all(RunEnded)] == ["suppressed"]


def test_a_second_attempt_that_was_never_made_leaves_the_customer_missed_and_the_first_counts() -> None:
    house = calling(attempts=2, policy=Policy(caps=(Cap(most=1, per="7d"),)))
    house.outcome("no_answer", calls(house)[0])
    house.wait(MONDAY_NOON + 2 * HOUR)
    house.outcome("expired", calls(house)[1])
    assert house.run.reach == "missed"
    assert [r.counts for r in house.state.reservations] == [True, False]
    assert used(WEEKLY, house.state.reservations, house.now) == [MONDAY_NOON]


def test_attempts_that_only_a_merge_tells_of_are_one_contact() -> None:
    house = calling(policy=Policy(caps=(Cap(most=3, per="7d"),)))
    past = tuple(PastContact(action_id=name, campaign="x", channel="call", at=MONDAY_NOON - HOUR) for name in ("abc", "abc-2", "abc-3"))
    house.take(CustomersMerged(customer_id="c-1", absorbed="c-0", at=MONDAY_NOON, profile=snapshot(), contacts=past))
    assert used(WEEKLY, house.state.reservations, house.now) == [MONDAY_NOON - HOUR, MONDAY_NOON]


def test_a_call_counts_in_the_caps_from_its_last_attempt_on() -> None:
    house = calling(spacing="48h", policy=Policy(caps=(Cap(most=1, per="24h"),)))
    house.rules = catalogue(*house.rules.live, MAIL, policy=house.rules.policy)
    house.outcome("no_answer", calls(house)[0])
    house.wait(MONDAY_NOON + 2 * DAY)
    house.outcome("answered", calls(house)[1], MONDAY_NOON + 2 * DAY + HOUR)
    house.now += 2 * HOUR
    house.touch("product.viewed")
    mail = house.decisions[-1]
    assert (mail.campaign, mail.result, mail.reason, mail.until) == ("mail", "defer", "cap", MONDAY_NOON + 3 * DAY)
    assert mail.numbers["cap_used_1_per_86400s_purpose_marketing"] == 1


def test_only_calls_are_tried_again() -> None:
    channels = [{"channel": "email", "template": "t", "attempts": 2}]
    wrong = campaign("a", wave("tell", mixes=[{"segment": "*", "channels": channels}])).definition
    assert [(fault.pointer, fault.fix) for fault in campaign_faults(wrong)] == [
        ("/waves/0/mixes/0/channels/0/attempts", "only calls are tried again")
    ]


def test_what_the_policy_says_of_the_score_is_checked() -> None:
    context = {"mood": {"good": 2.0}, "stage": {"high": 1.0, "decline": 0.0}}
    wrong = Policy(context=context, score={"luck": "much", "response": "guessed", "value": "goal"})
    assert [(fault.pointer, fault.fix) for fault in policy_faults(wrong)] == [
        ("/context/mood", "use one of churn.band, stage, value.cell"),
        ("/context/stage/high", "use exploration, formation, stability, decline"),
        ("/context/stage/decline", "give a number above 0, at most 1000"),
        ("/score/luck", "use one of response, value, context, lever, cost"),
        ("/score/response", "use one of learned, assumed"),
    ]

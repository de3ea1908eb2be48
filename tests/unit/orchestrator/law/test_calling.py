"""Limits by law as a house meets them: attempts, candidates of one moment, refusals, and what a decision says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from nextwave_contracts.actions import Contact, Withdraw
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from nextwave_orchestrator.decisions import answer, answer_in
from unit.orchestrator.decision_world import MONDAY_NOON, NO_CAPS, House, campaign, catalogue, wave
from unit.orchestrator.law.called import person

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def calling(*keys: str, attempts: int = 3, spacing: str = "2h", window: str = "2d", event: str = "cart.updated") -> list[Any]:
    channels = [{"channel": "call", "list": "renewals", "script": "Hello", "attempts": attempts, "spacing": spacing}]
    call = wave("call", window=window, mixes=[{"segment": "*", "channels": channels}])
    return [campaign(key, call, entry={"on": {"event": event}, "key": "n"}) for key in keys]


def calls(house: House) -> list[Contact]:
    return [contact for contact in house.all(Contact) if contact.channel == "call"]


def test_four_calls_in_thirty_days_are_the_most_although_each_contact_may_be_tried_three_times() -> None:
    house = House(catalogue(*calling("winter", window="10d"), policy=Policy(caps=())), profile=person())
    number = count(1)
    unanswered: set[str] = set()
    for day in range(70):
        house.touch("cart.updated", n=str(next(number)))
        for hour in range(24):
            house.wait(MONDAY_NOON + day * DAY + hour * HOUR)
            for call in (call for call in calls(house) if call.action_id not in unanswered):
                unanswered.add(call.action_id)
                house.outcome("no_answer", call)
    made = [call.decided_at for call in calls(house)]
    assert max(sum(at <= other < at + 30 * DAY for other in made) for at in made) == 4
    assert len(made) == 12
    assert {call.attempt for call in calls(house)} == {1, 2, 3}
    full = [d for d in house.decisions if d.result != "act" and "FR-voice" in d.attempts[-1].checks[-1].detail]
    assert {d.reason for d in full} == {"cap"}
    assert full[0].attempts[-1].checks[-1].detail == "at most 4 tries per 720 h by FR-voice (Code de la consommation D223-9)"
    assert full[0].numbers["tries_by_law_FR-voice"] == 4
    assert {"cap_used_1_per_86400s"}.isdisjoint(full[0].numbers)
    for judged in house.unit.judged:
        assert answer(judged.given) == answer_in(judged.decision)


def test_the_exact_instant_at_which_the_law_opens_is_waited_for() -> None:
    house = House(catalogue(*calling("winter", attempts=1, window="40d")), profile=person())
    for n in range(5):
        house.touch("cart.updated", n=str(n))
        if n < 4:
            house.outcome("no_answer", calls(house)[-1])
        house.wait(house.now + HOUR / 2)
    assert len(calls(house)) == 4
    waiting = house.decisions[-1]
    assert (waiting.result, waiting.reason, waiting.until) == ("defer", "cap", MONDAY_NOON + 30 * DAY)
    house.wait(MONDAY_NOON + 30 * DAY - INSTANT)
    assert len(calls(house)) == 4
    house.wait(MONDAY_NOON + 30 * DAY)
    assert [call.decided_at for call in calls(house)][4:] == [MONDAY_NOON + 30 * DAY]


@pytest.mark.parametrize("policy", [NO_CAPS, Policy(caps=(Cap(most=100, per="1d"),))], ids=["no caps", "a wide cap"])
def test_candidates_of_one_moment_share_what_the_law_leaves_the_dearest_first(policy: Policy) -> None:
    goal = {"event": "contract.renewed", "within": "30d"}
    plain = calling("plain", window="40d")[0].definition
    rivals = [
        campaign(f"r{n}", *[_wave(w) for w in plain.waves], goal={**goal, "value": 10_000 + n}, entry={"on": {"event": "cart.updated"}})
        for n in range(6)
    ]
    house = House(catalogue(*rivals, policy=policy), profile=person())
    house.touch("cart.updated")
    assert sorted(call.campaign for call in calls(house)) == ["r2", "r3", "r4", "r5"]
    losers = {d.campaign: (d.result, d.reason) for d in house.decisions if d.result != "act"}
    assert losers == {"r0": ("defer", "outranked"), "r1": ("defer", "outranked")}
    (loser,) = [d for d in house.decisions if d.campaign == "r0"]
    assert {rival.campaign for rival in loser.rivals if rival.ahead} == {"r2", "r3", "r4", "r5"}


def _wave(one: Any) -> dict[str, Any]:
    channels = [{"channel": "call", "list": "renewals", "script": "Hello"}]
    return wave(one.key, window=one.window, mixes=[{"segment": "*", "channels": channels}])


def test_an_attempt_and_a_new_call_of_one_moment_do_not_both_take_the_last_place() -> None:
    tried = calling("tried", spacing="1h", window="10d")
    house = House(catalogue(*tried, *calling("new", window="10d", event="product.viewed")), profile=person())
    for n in range(2):
        house.touch("cart.updated", n=str(n))
        house.outcome("answered", calls(house)[-1])
    house.touch("cart.updated", n="2")
    house.outcome("no_answer", calls(house)[-1])  # three tries; the second attempt is due in an hour
    house.timers, due = [], house.timers
    house.now += HOUR
    house.touch("product.viewed", n="3")
    house.timers += due
    house.wait(house.now)
    assert len(calls(house)) == 4
    assert calls(house)[-1].attempt == 2
    (lost,) = [d for d in house.decisions if d.campaign == "new"]
    assert (lost.result, lost.reason) == ("withhold", "cap")


@pytest.mark.parametrize("heard", [{"outcome": "refused"}, {"wrap_up": {"disposition": "refused"}}, {"wrap_up": {"refusal": True}}])
def test_after_a_refused_call_no_marketing_call_comes_for_sixty_days_though_the_house_rests_less(heard: dict[str, Any]) -> None:
    policy = Policy(caps=(), after_refusal="1d")
    house = House(catalogue(*calling("winter", window="70d"), policy=policy), profile=person())
    house.touch("cart.updated", n="1")
    first = calls(house)[0]
    house.profile = person(version=2, refused={"call": MONDAY_NOON})
    if "outcome" in heard:
        house.outcome(heard["outcome"], first)
    else:
        house.touch("call.wrapped_up", action_id=first.action_id, **heard["wrap_up"])
    house.wait(MONDAY_NOON + 2 * DAY)
    house.touch("cart.updated", n="2")
    assert [(d.result, d.reason, d.until) for d in house.decisions[1:]] == [("defer", "cap", datetime(2026, 8, 14, 22, tzinfo=UTC))]
    assert house.decisions[-1].attempts[-1].checks[-1].detail == "resting after a refusal by FR-voice (Code de la consommation D223-9)"
    house.wait(datetime(2026, 8, 17, 8, tzinfo=UTC) - INSTANT)  # the 15th is a holiday, and a Saturday
    assert len(calls(house)) == 1
    house.wait(datetime(2026, 8, 17, 8, tzinfo=UTC))
    assert len(calls(house)) == 2


@pytest.mark.parametrize("policy", [Policy(caps=(), after_refusal="1m"), NO_CAPS], ids=["by law", "by the house"])
def test_a_refusal_takes_back_the_calls_that_are_queued_and_nothing_else(policy: Policy) -> None:
    service = campaign("service", *[_wave(w) for w in calling("x")[0].definition.waves], purpose="service")
    mail = campaign("mail", wave("tell", "email"))
    house = House(catalogue(*calling("a", "b"), service, mail, policy=policy), profile=person())
    house.touch("cart.updated", n="1")
    queued = {contact.campaign: contact for contact in house.all(Contact)}
    assert sorted(queued) == ["a", "b", "mail", "service"]
    house.profile = person(version=2, refused={"call": house.now})
    house.outcome("refused", queued["a"])
    taken = [(took.action_id, took.reason) for took in house.all(Withdraw)]
    assert taken == [(queued["b"].action_id, "cap")]

"""What competes with what, when, and what becomes of those who lose."""

from __future__ import annotations

from dataclasses import replace as replace_lease
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace
from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import Churn, Consent, Value
from nextwave_contracts.decisions import Decision
from nextwave_orchestrator.allowances import EPOCH, FOR_EVER, Lease, Leases
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from nextwave_orchestrator.caps import CapRule
from nextwave_orchestrator.catalogue import LiveCampaign
from nextwave_orchestrator.decisions import answer, answer_in
from nextwave_orchestrator.gate import Act, Defer, decide
from nextwave_orchestrator.responses.rates import Cell, Seen, responses_of
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave
from unit.orchestrator.gate.test_gate import RICHER, SMS, asked

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DINNER = MONDAY_NOON + 5 * HOUR
"""19:00 in Berlin, when nobody is called."""
MORNING = MONDAY_NOON + 18 * HOUR
"""08:00 in Berlin."""
ONE_A_DAY = Policy(caps=(Cap(most=1, per="24h"),))


def worth(key: str, value: int, channel: str = "email", window: str = "5d", **changes: Any) -> LiveCampaign:
    """A campaign of one wave whose goal is worth so much."""
    goal = {"event": changes.pop("goal", "contract.renewed"), "within": "30d", "value": value}
    return campaign(key, wave("tell", channel, window=window), goal=goal, **changes)


def entered(
    *campaigns: LiveCampaign, policy: Policy = ONE_A_DAY, at: Any = MONDAY_NOON, ready: dict[str, bool] | None = None, **profile: Any
) -> House:
    house = House(catalogue(*campaigns, policy=policy, ready=ready or {}), now=at, profile=snapshot(**profile))
    house.touch("cart.updated")
    return house


def said(house: House) -> list[tuple[str, str, str]]:
    return [(d.campaign, d.result, d.reason) for d in house.decisions]


def full(channel: str, per: timedelta, period: datetime, amount: int = 4, left: int = 0) -> Lease:
    """A channel's capacity of which nobody holds any more than this."""
    return Lease(scope=f"capacity/{channel}", amount=amount, per=per, period=period, left=left, sure=True)


def hold(house: House, *leases: Lease) -> None:
    """As at the beginning of the next batch."""
    house.unit.leases = Leases({one.scope: one for one in leases}, partitions=2)


def last(house: House, key: str) -> Decision:
    return [d for d in house.decisions if d.campaign == key][-1]


def test_what_may_only_come_tomorrow_beats_what_could_come_now_within_the_same_cap_window() -> None:
    house = entered(worth("mail", 10_000), worth("call", 100_000, "call"), at=DINNER)
    assert said(house) == [("call", "defer", "hours"), ("mail", "defer", "outranked")]
    assert (last(house, "call").until, last(house, "mail").until) == (MORNING, MORNING + DAY)
    house.wait(MORNING + 2 * DAY)
    assert [(c.campaign, c.decided_at) for c in house.all(Contact)] == [("call", MORNING), ("mail", MORNING + DAY)]
    assert len(house.decisions) == 4


def test_what_was_put_off_before_competes_with_what_comes_later() -> None:
    rules = (worth("mail", 10_000, entry={"on": {"event": "product.viewed"}}), worth("call", 100_000, "call"))
    house = entered(*rules, at=DINNER)
    house.now += HOUR
    house.touch("product.viewed")
    assert said(house)[1:] == [("mail", "defer", "outranked")]
    assert last(house, "mail").rivals[0].at == MORNING


def test_what_comes_after_the_cap_window_does_not_compete() -> None:
    house = entered(worth("mail", 10_000), worth("call", 100_000, "call"), policy=Policy(caps=(Cap(most=1, per="6h"),)), at=DINNER)
    assert said(house) == [("call", "defer", "hours"), ("mail", "act", "permitted")]


def test_who_loses_is_withheld_when_the_cap_is_free_again_only_after_its_window() -> None:
    house = entered(worth("poor", 10_000, window="12h"), worth("rich", 20_000))
    assert said(house) == [("rich", "act", "permitted"), ("poor", "withhold", "outranked")]


@pytest.mark.parametrize("gone", ["withheld", "goal", "paused", "ended"])
def test_a_winner_that_gives_way_frees_whoever_yielded_to_it(gone: str) -> None:
    house = entered(worth("mail", 10_000, goal="order.placed"), worth("call", 100_000, "call"), at=DINNER)
    house.now += HOUR
    if gone == "withheld":
        no_calls = Consent(channel="call", purpose="", granted=False, at=house.now)
        house.profile = snapshot(version=2, consents=(*house.profile.consents, no_calls))
        house.touch("page.viewed", path="/elsewhere")
        house.wait(MORNING)
        assert said(house)[2:] == [("call", "withhold", "no_consent"), ("mail", "act", "permitted")]
        assert last(house, "mail").at == MORNING
        return
    if gone != "goal":
        house.change(states={"mail": "published", "call": gone})
    house.touch("contract.renewed" if gone == "goal" else "page.viewed", path="/elsewhere")
    assert said(house)[2:] == [("mail", "act", "permitted")]
    assert last(house, "mail").at == house.now


def test_a_paused_or_unready_rival_holds_nobody_up() -> None:
    paused = House(catalogue(worth("mail", 10_000), worth("sms", 100_000, "sms"), policy=ONE_A_DAY, states={"mail": "published"}))
    paused.touch("cart.updated")
    assert said(paused) == [("mail", "act", "permitted")]
    unready = entered(worth("mail", 10_000), worth("sms", 100_000, "sms", needs=["payment"]))
    assert said(unready) == [("mail", "act", "permitted"), ("sms", "defer", "not_ready")]


def test_ties_go_by_priority_and_then_by_key() -> None:
    same = [worth("b", 10_000), worth("a", 10_000), worth("z", 10_000, priority=1)]
    for order in permutations(same):
        assert [d.campaign for d in entered(*order).decisions] == ["z", "a", "b"]


def test_campaigns_that_share_no_cap_do_not_compete() -> None:
    apart = Policy(caps=(Cap(most=1, per="24h", channel="email"), Cap(most=1, per="24h", channel="sms")))
    house = entered(worth("mail", 10_000), worth("text", 20_000, "sms"), policy=apart)
    assert {(d.result, d.reason) for d in house.decisions} == {("act", "permitted")}


def test_a_loser_takes_no_place_in_another_cap() -> None:
    caps = Policy(caps=(Cap(most=1, per="24h", channel="email"), Cap(most=2, per="24h")))
    house = entered(worth("first", 30_000), worth("second", 20_000), worth("text", 100, "sms", lever=2.0), policy=caps)
    assert said(house) == [("first", "act", "permitted"), ("second", "defer", "outranked"), ("text", "act", "permitted")]


@pytest.mark.parametrize("purpose", ["service", "recovery", "transactional"])
def test_what_is_owed_goes_first_and_is_never_ranked(purpose: str) -> None:
    everything = Policy(caps=(Cap(most=1, per="24h", purpose=""),))
    house = entered(worth("offer", 100_000), worth("owed", 1, purpose=purpose), policy=everything)
    assert said(house) == [("owed", "act", "permitted"), ("offer", "defer", "cap")]
    later = entered(worth("offer", 100_000), worth("owed", 1, "call", purpose="service"), policy=everything, at=DINNER)
    assert said(later) == [("owed", "defer", "hours"), ("offer", "defer", "outranked")]


def test_even_other_things_owed_and_dearer_ones_do_not_outrank_what_is_owed_nor_a_further_attempt_at_a_call() -> None:
    caps, dearer = (CapRule(1, 3600.0),), RICHER
    assert isinstance(decide(asked(SMS, caps=caps, rivals=(dearer,))).ruling, Defer)
    assert isinstance(decide(asked(SMS, caps=caps, rivals=(replace(dearer, purpose="service"),), purpose="recovery")).ruling, Act)
    assert isinstance(decide(asked(SMS, caps=caps, rivals=(dearer,), attempt=2)).ruling, Act)


def test_the_context_of_the_policy_weighs_against_the_cost() -> None:
    def first(context: dict[str, dict[str, float]]) -> Decision:
        policy = Policy(caps=ONE_A_DAY.caps, context=context)
        return entered(worth("call", 10_000, "call"), worth("mail", 36_000), policy=policy, stage="stability").decisions[0]

    assert first({}).campaign == "mail"
    assert first({}).numbers["score"] == pytest.approx(0.05 * 36_000)
    weighed = first({"churn.band": {"elevated": 2.0}, "stage": {"stability": 3.0, "decline": 0.1}, "value.cell": {"I": 0.01}})
    assert (weighed.campaign, weighed.numbers["context_weight"]) == ("call", 6.0)
    assert weighed.numbers["score"] == pytest.approx(0.2 * 10_000 * 6 - 250)
    assert weighed.numbers["expected_margin"] == pytest.approx(0.2 * 10_000)


def test_the_parts_are_named_functions_that_the_policy_chooses() -> None:
    policy = Policy(
        caps=(), context={"value.cell": {"IV": 5.0}}, score={"value": "at_risk", "context": "even", "lever": "even", "response": "assumed"}
    )
    seen = responses_of([(Cell("*", "email", 14), Seen(1000, 900))], 50)
    house = House(catalogue(worth("mail", 10_000, lever=3.0), policy=policy, responses=seen))
    house.profile = snapshot(churn=Churn(risk=0.5, band="high", horizon_days=90, model="m"), value=Value(cell="IV"))
    house.touch("cart.updated")
    (decision,) = house.decisions
    assert decision.numbers["score"] == pytest.approx(0.05 * 10_000 * 0.5)
    assert decision.numbers["learned_low"] < 0.9 < decision.numbers["learned_high"] + 0.05
    assert decision.numbers["learned_from"] == 1000


def test_what_was_learned_at_this_hour_decides() -> None:
    seen = responses_of([(Cell("*", "email", 14), Seen(1000, 400)), (Cell("*", "email", 9), Seen(1000, 1))], 50)
    rules = catalogue(worth("mail", 10_000), worth("text", 10_000, "sms"), policy=ONE_A_DAY, responses=seen)
    at_two, at_nine = House(rules), House(rules, now=MONDAY_NOON + 19 * HOUR)
    at_two.touch("cart.updated")
    at_nine.touch("cart.updated")
    assert (at_two.decisions[0].campaign, at_nine.decisions[0].campaign) == ("mail", "text")


def test_who_is_held_out_does_not_compete() -> None:
    held = House(catalogue(worth("a", 10_000, holdout=1.0), worth("b", 1), policy=ONE_A_DAY))
    held.touch("cart.updated")
    assert said(held) == [("a", "withhold", "holdout"), ("b", "act", "permitted")]


def test_what_the_winner_takes_of_a_capacity_never_lets_the_others_overfill_a_cap() -> None:
    """`second` claimed a call like `first`; there is only one agent, so it goes by e-mail, and `third` finds the cap of e-mails full."""
    channels = [{"channel": "call", "list": "l"}, {"channel": "email", "template": "t"}]
    spoken: dict[str, Any] = {"mixes": [{"segment": "*", "channels": channels, "pick": "best"}]}
    goals = ({"event": "contract.renewed", "within": "30d", "value": value} for value in (90_000, 80_000))
    rivals = [campaign(key, wave("tell", **spoken), goal=goal) for key, goal in zip(("first", "second"), goals, strict=True)]
    house = House(
        catalogue(*rivals, worth("third", 75_000), policy=Policy(caps=(Cap(most=1, per="24h", channel="email"), Cap(most=3, per="24h"))))
    )
    agents = Lease(scope="capacity/call", amount=1, per=HOUR, period=MONDAY_NOON, left=1, sure=True)
    house.unit.leases = Leases({agents.scope: agents})
    house.touch("cart.updated")
    assert said(house) == [("first", "act", "permitted"), ("second", "act", "permitted"), ("third", "defer", "cap")]
    assert [contact.channel for contact in house.all(Contact)] == ["call", "email"]
    for judged in house.unit.judged:
        assert answer(judged.given) == answer_in(judged.decision)


def test_whom_a_capacity_leaves_a_later_place_keeps_it_before_those_worth_less() -> None:
    rivals = [worth("first", 90_000, "sms"), worth("second", 80_000, "sms"), worth("third", 10_000)]
    house = House(catalogue(*rivals, policy=Policy(caps=(Cap(most=2, per="24h"),))))
    gateway = Lease(scope="capacity/sms", amount=1, per=HOUR, period=MONDAY_NOON, left=1, sure=True)
    house.unit.leases = Leases({gateway.scope: gateway})
    house.touch("cart.updated")
    assert said(house) == [("first", "act", "permitted"), ("second", "defer", "capacity"), ("third", "defer", "outranked")]
    house.unit.leases = Leases({gateway.scope: full("sms", HOUR, MONDAY_NOON + HOUR, amount=1, left=1)})
    house.wait(MONDAY_NOON + HOUR)
    assert said(house)[3:] == [("second", "act", "permitted")]


def test_whom_a_capacity_leaves_nothing_keeps_nobody_from_a_place() -> None:
    """Nobody knows when a capacity of none is raised."""
    house = House(catalogue(worth("text", 90_000, "sms"), worth("mail", 10_000), policy=ONE_A_DAY))
    hold(house, full("sms", HOUR, MONDAY_NOON, amount=0))
    house.touch("cart.updated")
    assert said(house) == [("mail", "act", "permitted"), ("text", "defer", "capacity")]


def test_who_waits_for_capacity_or_would_find_some_by_its_hour_wins_over_what_could_come_now() -> None:
    text = House(catalogue(worth("mail", 10_000), worth("text", 100_000, "sms"), policy=ONE_A_DAY))
    hold(text, full("sms", HOUR, MONDAY_NOON))
    text.touch("cart.updated")
    assert said(text) == [("text", "defer", "capacity"), ("mail", "defer", "outranked")]
    assert last(text, "mail").rivals[0].at == MONDAY_NOON + HOUR
    call = House(catalogue(worth("mail", 10_000), worth("call", 100_000, "call"), policy=ONE_A_DAY), now=DINNER)
    hold(call, full("call", timedelta(minutes=1), DINNER))
    call.touch("cart.updated")
    assert said(call) == [("call", "defer", "hours"), ("mail", "defer", "outranked")]


def test_who_may_only_come_tomorrow_wins_though_this_partition_has_none_of_its_budget_in_hand_yet() -> None:
    rules = (worth("mail", 10_000), worth("call", 100_000, "call"))
    for is_all, expected in ((False, ("mail", "defer", "outranked")), (True, ("mail", "act", "permitted"))):
        house = House(catalogue(*rules, policy=ONE_A_DAY), now=DINNER)
        hold(house, Lease(scope="budget/call", amount=8_000, per=FOR_EVER, period=EPOCH, left=0, sure=is_all))
        house.touch("cart.updated")
        assert expected in said(house)


def test_who_waits_for_a_rest_or_a_cap_of_its_own_wins_within_the_same_cap_window() -> None:
    policy = Policy(caps=(Cap(most=1, per="24h"),), after_refusal="6h")
    house = entered(worth("mail", 100_000), worth("text", 10_000, "sms"), policy=policy, refused={"email": MONDAY_NOON})
    assert said(house) == [("mail", "defer", "cap"), ("text", "defer", "outranked")]


def test_who_waits_for_one_thing_after_the_other_wins_all_the_same() -> None:
    """For the morning, then for the end of a rest at 21:00, then for the morning after."""
    policy = Policy(caps=(Cap(most=1, per="48h"),), after_refusal="26h")
    house = entered(worth("mail", 10_000), worth("call", 100_000, "call"), policy=policy, at=DINNER, refused={"call": DINNER})
    assert said(house) == [("call", "defer", "hours"), ("mail", "defer", "outranked")]
    assert last(house, "mail").rivals[0].at == MORNING + DAY


@pytest.mark.parametrize("lost", ["readiness", "capacity"])
def test_who_yielded_is_asked_in_the_turn_in_which_the_winner_begins_to_wait_for_an_unknown_end(lost: str) -> None:
    house = entered(worth("mail", 10_000), worth("call", 100_000, "call", needs=["payment"]), at=DINNER, ready={"payment": True})
    assert said(house) == [("call", "defer", "hours"), ("mail", "defer", "outranked")]
    if lost == "readiness":
        house.change(ready={"payment": False})
    else:
        hold(house, full("call", HOUR, MORNING, amount=0))
    house.wait(MORNING)
    assert [(one.campaign, one.decided_at) for one in house.all(Contact)] == [("mail", MORNING)]


def test_a_winner_that_only_looks_again_for_its_lease_keeps_its_place() -> None:
    house = entered(worth("mail", 10_000), worth("call", 100_000, "call"), at=DINNER)
    hold(house, Lease(scope="budget/call", amount=8_000, per=FOR_EVER, period=EPOCH, left=0))
    (retry,) = [one for one in house.timers if one.kind == "retry" and one.due_at == MORNING]
    house.now = MORNING
    assert house.fire(retry) == []
    hold(house)
    assert [one.campaign for one in house.wait(MORNING) if isinstance(one, Contact)] == ["call"]


def test_all_who_are_not_decided_yet_look_again_with_the_one_whose_lease_the_one_before_has_used_up() -> None:
    rivals = [worth("first", 90_000, "sms"), worth("second", 80_000, "sms"), worth("third", 10_000)]
    house = House(catalogue(*rivals, policy=Policy(caps=(Cap(most=2, per="24h"),))))
    hold(house, replace_lease(full("sms", HOUR, MONDAY_NOON, left=1), sure=False))
    house.touch("cart.updated")
    assert said(house) == [("first", "act", "permitted")]
    hold(house, full("sms", HOUR, MONDAY_NOON, left=3))
    house.wait(MONDAY_NOON)
    assert said(house)[1:] == [("second", "act", "permitted"), ("third", "defer", "outranked")]

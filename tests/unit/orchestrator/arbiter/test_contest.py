"""What competes with what, when, and what becomes of those who lose."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace
from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import Churn, Consent, Value
from nextwave_contracts.decisions import Decision
from nextwave_orchestrator.allowances import Lease, Leases
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


def entered(*campaigns: LiveCampaign, policy: Policy = ONE_A_DAY, at: Any = MONDAY_NOON, **profile: Any) -> House:
    house = House(catalogue(*campaigns, policy=policy), now=at, profile=snapshot(**profile))
    house.touch("cart.updated")
    return house


def said(house: House) -> list[tuple[str, str, str]]:
    return [(d.campaign, d.result, d.reason) for d in house.decisions]


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


def test_whom_a_capacity_leaves_nothing_keeps_nobody_from_a_place() -> None:
    rivals = [worth("first", 90_000, "sms"), worth("second", 80_000, "sms"), worth("third", 10_000)]
    house = House(catalogue(*rivals, policy=Policy(caps=(Cap(most=2, per="24h"),))))
    gateway = Lease(scope="capacity/sms", amount=1, per=HOUR, period=MONDAY_NOON, left=1, sure=True)
    house.unit.leases = Leases({gateway.scope: gateway})
    house.touch("cart.updated")
    assert said(house) == [("first", "act", "permitted"), ("second", "defer", "capacity"), ("third", "act", "permitted")]

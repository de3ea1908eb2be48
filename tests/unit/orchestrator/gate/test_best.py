"""The best of a mix: of the permitted channels the one with the highest score."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nextwave_contracts.actions import Contact
from nextwave_orchestrator.candidate import GateInput, Offer
from nextwave_orchestrator.caps import CapRule
from nextwave_orchestrator.gate import Act, Defer, Withhold, decide
from nextwave_orchestrator.state import Reservation
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, wave
from unit.orchestrator.gate.test_gate import MAIL, SMS, asked

HOUR = timedelta(hours=1)
CALL = Offer(channel="call", address="+4915112345678", cost=250, response_rate=0.2, opt_in=True)
NIGHT = MONDAY_NOON + 12 * HOUR


def best(*offers: Offer, **changes: Any) -> GateInput:
    return asked(*offers, pick="best", **changes)


offers = st.lists(
    st.builds(
        Offer,
        channel=st.sampled_from(["email", "sms", "onsite"]),
        address=st.sampled_from(["", "x"]),
        cost=st.integers(0, 900),
        response_rate=st.sampled_from([0.0, 0.05, 0.1, 0.2]),
        weight=st.sampled_from([0.5, 1.0, 2.0]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200)
@given(offers=offers)
def test_it_is_one_that_would_be_permitted_alone_and_none_of_those_scores_more(offers: list[Offer]) -> None:
    given = best(*offers)
    alone = [n for n, offer in enumerate(offers) if isinstance(decide(replace(given, offers=(offer,))).ruling, Act)]
    worth = {n: offers[n].response_rate * 12_000 * offers[n].weight - offers[n].cost for n in alone}
    match decide(given).ruling:
        case Act(chosen):
            assert chosen == min(alone, key=lambda n: (-worth[n], n))
        case _:
            assert not alone
    assert [attempt.code == "permitted" for attempt in decide(given).attempts] == [n in alone for n in range(len(offers))]
    assert len(decide(given).attempts) == len(offers)


def test_the_losers_are_recorded_with_their_scores() -> None:
    judgement = decide(best(MAIL, replace(MAIL, channel="onsite", response_rate=0.01), SMS, CALL))
    assert judgement.ruling == Act(3)
    assert [(a.channel, a.code, round(a.score)) for a in judgement.attempts] == [
        ("email", "permitted", 0),
        ("onsite", "permitted", 120),
        ("sms", "permitted", 952),
        ("call", "permitted", 2150),
    ]


def test_a_channel_that_must_wait_is_not_waited_for_where_another_is_permitted() -> None:
    assert decide(best(CALL, MAIL, now=NIGHT)).ruling == Act(1)
    first_of_all = asked(CALL, MAIL, now=NIGHT)
    assert isinstance(decide(first_of_all).ruling, Defer)


def test_where_none_is_permitted_the_one_that_is_soonest_is_waited_for() -> None:
    full = {"caps": (CapRule(1, 3600.0, channel="onsite"),), "reservations": (Reservation("x", "w", "onsite", "marketing", NIGHT),)}
    onsite = replace(MAIL, channel="onsite")
    assert decide(best(CALL, onsite, now=NIGHT, **full)).ruling == Defer(NIGHT + HOUR, "cap")
    assert decide(best(replace(CALL, address=""), replace(MAIL, address=""))).ruling == Withhold("no_address")


def test_a_mix_says_how_it_is_picked() -> None:
    channels = [{"channel": "email", "template": "t"}, {"channel": "sms", "template": "t"}]
    for pick, channel in (("first_permitted", "email"), ("best", "sms")):
        house = House(catalogue(campaign("a", wave("tell", mixes=[{"segment": "*", "channels": channels, "pick": pick}]))))
        house.touch("cart.updated")
        assert [contact.channel for contact in house.all(Contact)] == [channel]
        (judged,) = house.unit.judged
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(judged.given), type=GateInput).pick == pick

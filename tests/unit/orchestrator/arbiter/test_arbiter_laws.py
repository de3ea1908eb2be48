"""The laws of the arbiter, against one that was written from the specification alone."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nextwave_contracts.actions import Contact
from nextwave_contracts.decisions import Decision, Rival
from nextwave_orchestrator.arbiter import ranked, standings
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from nextwave_orchestrator.candidate import GateInput, Offer
from nextwave_orchestrator.caps import CapRule
from nextwave_orchestrator.catalogue import LiveCampaign
from nextwave_orchestrator.decisions import answer, answer_in
from nextwave_orchestrator.state import Reservation
from unit.orchestrator.arbiter.slow_arbiter import HOUR, Limit, Wanted, before, first_hour, winners
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, wave
from unit.orchestrator.gate.test_gate import asked

DAY = timedelta(days=1)
SMS_RATE, EMAIL_RATE = 0.08, 0.05

channels = st.sampled_from(["email", "sms"])
campaigns = st.sampled_from(["a", "b", "c"])
purposes = st.sampled_from(["marketing", "care"])
limits = st.lists(
    st.builds(Limit, st.integers(1, 3), st.integers(1, 30), st.sampled_from(["", "email"]), st.sampled_from(["", "a"])),
    min_size=1,
    max_size=3,
)
made = st.lists(
    st.builds(Wanted, st.just("made"), campaigns, channels, purposes, st.integers(-40, -1).map(lambda h: MONDAY_NOON + h * HOUR))
)
rivals = st.lists(
    st.builds(
        Wanted,
        st.just(""),
        campaigns,
        channels,
        st.sampled_from(["marketing", "care", "service"]),
        st.integers(0, 40).map(lambda h: MONDAY_NOON + h * HOUR),
        st.integers(0, 5).map(float),
        st.sampled_from([50, 100]),
    ),
    max_size=7,
)
owns = st.builds(Wanted, st.just("own"), campaigns, channels, purposes, st.just(MONDAY_NOON), st.integers(0, 5).map(float), st.just(100))


def as_rival(one: Wanted) -> Rival:
    parts = {"response": 1.0, "value": one.worth, "weight": 1.0, "lever": 1.0, "cost": 0.0, "score": one.worth}
    known = {"run_id": one.name, "campaign": one.campaign, "wave": "w", "channel": one.channel, "purpose": one.purpose}
    return Rival(at=one.at, priority=one.priority, **known, **parts)  # type: ignore[arg-type]  # by name


def as_input(own: Wanted, others: list[Wanted], contacts: list[Wanted], rules: list[Limit]) -> tuple[GateInput, Offer]:
    offer = Offer(channel=own.channel, address="x", response_rate=1.0)
    given = asked(
        offer,
        run_id=own.name,
        campaign=own.campaign,
        purpose=own.purpose,
        goal_value=own.worth,
        caps=tuple(CapRule(one.most, one.hours * 3600.0, one.channel, one.campaign, one.purpose) for one in rules),
        reservations=tuple(Reservation(f"m{n}", c.campaign, c.channel, c.purpose, c.at) for n, c in enumerate(contacts)),
        rivals=tuple(as_rival(one) for one in others),
    )
    return given, offer


@settings(max_examples=300, deadline=None)
@given(rules=limits, contacts=made, own=owns, others=rivals, seed=st.randoms(use_true_random=False))
def test_who_is_ahead_and_until_when_is_as_in_the_slow_arbiter_in_whatever_order_rivals_come(
    rules: list[Limit], contacts: list[Wanted], own: Wanted, others: list[Wanted], seed: Random
) -> None:
    others = [Wanted(f"r{n}", o.campaign, o.channel, o.purpose, o.at, o.worth, o.priority) for n, o in enumerate(others)]
    given, offer = as_input(own, others, contacts, rules)
    ahead = [one for one in winners(rules, contacts, [own, *others]) if before(one, own)]
    assert {rival.run_id for rival in standings(given, offer) if rival.ahead} == {one.name for one in ahead}
    assert ranked(given, offer).until == first_hour(rules, [*contacts, *ahead], own)
    assert (ranked(given, offer).until == own.at) == (own in winners(rules, contacts, [own, *others]))
    shuffled = list(given.rivals)
    seed.shuffle(shuffled)
    assert ranked(replace(given, rivals=tuple(shuffled)), offer) == ranked(given, offer)
    assert standings(replace(given, rivals=tuple(shuffled)), offer) == standings(given, offer)


entrants = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from([0.5, 1.0, 2.0]), st.integers(1, 200), st.sampled_from(["email", "sms"])),
    min_size=1,
    max_size=6,
)


def competing(entered: list[tuple[int, float, int, str]]) -> list[LiveCampaign]:
    def one(n: int, value: int, lever: float, priority: int, channel: str) -> LiveCampaign:
        goal = {"event": "contract.renewed", "within": "30d", "value": value * 1000}
        return campaign(f"c{n}", wave("tell", channel), goal=goal, lever=lever, priority=priority)

    return [one(n, *entrant) for n, entrant in enumerate(entered)]


def best_first(entered: list[tuple[int, float, int, str]]) -> list[str]:
    def worth(value: int, lever: float, channel: str) -> float:
        return value * 1000 * lever * (EMAIL_RATE if channel == "email" else SMS_RATE)

    named = [(-worth(value, lever, channel), priority, f"c{n}") for n, (value, lever, priority, channel) in enumerate(entered)]
    return [key for _, _, key in sorted(named)]


@settings(max_examples=80, deadline=None)
@given(entered=entrants, most=st.integers(1, 4))
def test_of_those_who_enter_together_the_best_take_the_free_places_and_every_candidate_has_one_result(
    entered: list[tuple[int, float, int, str]], most: int
) -> None:
    house = House(catalogue(*competing(entered), policy=Policy(caps=(Cap(most=most, per="24h"),), channel_costs={})))
    house.touch("cart.updated")
    results = {d.campaign: (d.result, d.reason, d.until) for d in house.decisions}
    ranked = best_first(entered)
    assert len(house.decisions) == len(results) == len(entered)
    assert {key for key, (result, _, _) in results.items() if result == "act"} == set(ranked[:most])
    assert all(results[key] == ("defer", "outranked", MONDAY_NOON + DAY) for key in ranked[most:])
    assert [contact.campaign for contact in house.all(Contact)] == ranked[:most]
    for judged in house.unit.judged:
        stored = msgspec.msgpack.decode(msgspec.msgpack.encode(judged.given), type=GateInput)
        assert answer(stored) == answer_in(judged.decision)


@settings(max_examples=40, deadline=None)
@given(entered=entrants, days=st.integers(1, 12))
def test_nobody_starves_all_of_equal_window_are_contacted_in_order_of_their_worth(
    entered: list[tuple[int, float, int, str]], days: int
) -> None:
    waves = [wave("tell", "email", window=f"{days}d")]
    rules = [
        campaign(one.key, *waves, goal={"event": "contract.renewed", "within": "30d", "value": one.definition.goal.value}, priority=n)
        for n, one in enumerate(competing(entered))
    ]
    house = House(catalogue(*rules, policy=Policy(caps=(Cap(most=1, per="24h"),))))
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + 20 * DAY)
    ranked = [one.key for one in sorted(rules, key=lambda c: (-c.definition.goal.value, c.definition.priority, c.key))]
    assert [contact.campaign for contact in house.all(Contact)] == ranked[:days]


@pytest.mark.parametrize("changes", [{"value": 9}, {"lever": 3.0}])
def test_every_loser_is_stored_with_its_numbers_in_its_own_decision_and_in_the_winners(changes: dict[str, Any]) -> None:
    entered = [(n + 1, 1.0, 100, "sms") for n in range(5)]
    entered[1] = (changes.get("value", 2), changes.get("lever", 1.0), 100, "sms")
    house = House(catalogue(*competing(entered), policy=Policy(caps=(Cap(most=1, per="24h"),))))
    house.touch("cart.updated")
    made: dict[str, Decision] = {d.campaign: d for d in house.decisions}
    (winner,) = (d for d in made.values() if d.result == "act")
    assert winner.campaign == best_first(entered)[0]
    assert [rival.campaign for rival in winner.rivals] == best_first(entered)[1:]
    for rival in winner.rivals:
        loser = made[rival.campaign]
        assert rival.score == rival.response * rival.value * rival.weight * rival.lever - rival.cost == loser.numbers["score"]
        assert [(other.campaign, other.score) for other in loser.rivals if other.ahead] == [(winner.campaign, winner.numbers["score"])]

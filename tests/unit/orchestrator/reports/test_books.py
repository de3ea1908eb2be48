"""What is booked as it happens is what a slow recount of the raw messages finds, and every division of it adds up."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain, combinations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.actions import Contact
from nextwave_contracts.decisions import GoalReached, RunStarted, WaveClosed
from nextwave_orchestrator.api.reports import origins_of
from nextwave_orchestrator.reports.lift import Arm
from nextwave_orchestrator.reports.numbers import DIMENSIONS, Booked, groups, lifts, numbers
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue
from unit.orchestrator.reports.lives import RULES, Life, booked, lived, lives
from unit.orchestrator.reports.recount import count

ORIGINS = origins_of(RULES)
RATES = {"response_rate", "conversion_rate"}
divisions = st.sampled_from([*chain.from_iterable(combinations(DIMENSIONS, n) for n in (1, 2, 3))])


def whole(found: dict[str, Any]) -> dict[str, int]:
    """Without rates and names."""
    return {name: value for name, value in found.items() if name not in RATES and name not in DIMENSIONS}


@settings(max_examples=60)
@given(lives, divisions)
def test_every_number_of_every_group_is_what_a_recount_finds(written: list[Any], by: tuple[str, ...]) -> None:
    people = lived(written)
    entries = booked(people)
    assert whole(msgspec.structs.asdict(numbers(entries))) == count(people, lambda _: True)
    for group in groups(entries, by, ORIGINS):
        names = {name: group[name] for name in by}
        assert whole(group) == count(people, lambda place, names=names: all(place[name] == named for name, named in names.items()))  # type: ignore[misc]


@settings(max_examples=30)
@given(lives, divisions)
def test_the_groups_of_any_division_add_up_to_the_total(written: list[Any], by: tuple[str, ...]) -> None:
    entries = booked(lived(written))
    divided = groups(entries, by, ORIGINS)
    for name, total in whole(msgspec.structs.asdict(numbers(entries))).items():
        assert sum(group[name] for group in divided) == total, name


@settings(max_examples=30)
@given(lives)
def test_every_candidate_is_one_act_defer_or_withhold_and_every_benefit_is_somebodys_or_nobodys(written: list[Any]) -> None:
    people = lived(written)
    for group in groups(booked(people), ("campaign",), ORIGINS):
        assert group["candidates"] == group["acts"] + group["defers"] + group["withholds"]
    found = numbers(booked(people))
    goals = [m for life in people for m in life.house.all(GoalReached) if not m.held_by]
    events = {(goal.customer_id, goal.at) for goal in goals}
    worth = sum(max(g.value for g in goals if (g.customer_id, g.at) == event) for event in events)
    assert found.benefit + found.untouched_benefit == worth


@settings(max_examples=30)
@given(lives)
def test_the_arms_of_a_lift_are_customers_by_their_first_run(written: list[Any]) -> None:
    people = lived(written)
    for key in ("winter", "other", "quiet", "calls"):
        entries: Booked = [one for one in booked(people) if one[0].campaign == key]
        for found in lifts(entries):
            assert Arm(found.entered, found.converted) == arm(people, key, "")
            assert Arm(found.held_out, found.held_out_converted) == arm(people, key, found.against)


def arm(people: list[Life], key: str, held_by: str) -> Arm:
    """Customers of an arm whose first run in the campaign this is, and those of them who reached its goal."""
    firsts = [next((m for m in life.house.all(RunStarted) if m.campaign == key), None) for life in people]
    runs = [first.run_id for first in firsts if first is not None and first.held_by == held_by]
    return Arm(len(runs), len({m.run_id for life in people for m in life.house.all(GoalReached)} & set(runs)))


def test_who_reaches_the_goal_again_has_converted_once() -> None:
    goal = {"event": "order.placed", "within": "1d", "value": 5}
    house = House(catalogue(campaign("a", goal=goal, entry={"on": {"event": "cart.updated"}, "reentry": {"after": "1d"}})))
    for day in (0, 2):
        house.wait(MONDAY_NOON + timedelta(days=day))
        house.touch("cart.updated")
        house.touch("order.placed")
    entries = sorted(house.unit.books.entries.items())
    assert (numbers(entries).entered, numbers(entries).goals) == (2, 2)
    (lift,) = lifts(entries)
    assert (lift.entered, lift.converted) == (1, 1)


def test_who_answers_without_a_contact_made_is_no_response() -> None:
    house = House(catalogue(campaign("a")))
    house.touch("cart.updated")
    house.outcome("failed", house.all(Contact)[0])
    house.touch("page.viewed", path="/renew")
    house.wait(MONDAY_NOON + timedelta(days=5))
    found = numbers(sorted(house.unit.books.entries.items()))
    assert [(closed.reach, closed.responded) for closed in house.all(WaveClosed)] == [("failed", True)]
    assert (found.failed, found.responses, found.response_rate) == (1, 0, None)


@pytest.mark.parametrize("by", [("campaign",), ("department", "channel"), ("day",)])
def test_an_empty_house_has_no_groups_and_no_rates(by: tuple[str, ...]) -> None:
    assert groups([], by, ORIGINS) == []
    assert numbers([]).response_rate is None
    assert numbers([]).profit == 0

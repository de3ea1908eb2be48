"""People in flight when a version is replaced: they finish the one they entered, or go over to the newer one where that is asked for."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.customers import CustomersMerged
from nextwave_contracts.decisions import GoalReached, RunEnded, WaveClosed
from nextwave_orchestrator.catalogue import Catalogue, LiveCampaign
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, wave

DAY = timedelta(days=1)
CALL = wave("call", "email", enter={"after": "tell", "unless": "responded"})
FIRST = campaign("winter", wave("tell", "email"), CALL)


def second(*waves: dict[str, Any], **changes: Any) -> LiveCampaign:
    return campaign("winter", *(waves or (wave("tell", "sms"), CALL)), version=2, **changes)


def both(newer: LiveCampaign, **changes: Any) -> Catalogue:
    return catalogue(FIRST, newer, **({"live": (newer,)} | changes))


def under_way() -> House:
    house = House(catalogue(FIRST))
    house.touch("cart.updated")
    return house


def test_who_is_under_way_finishes_the_version_they_entered() -> None:
    house = under_way()
    house.rules = both(second())
    house.wait(MONDAY_NOON + 2 * DAY)
    assert (house.run.version, house.run.wave) == (1, "call")


def test_who_is_migrated_goes_on_in_the_newer_version_at_the_same_wave_with_the_same_window() -> None:
    house = under_way()
    before = house.run
    house.rules = both(second(wave("tell", "sms"), wave("call", "sms", enter={"after": "tell"})), migrations={"winter": 2})
    assert house.touch("page.viewed") == []
    assert (house.run.version, house.run.wave, house.run.closes_at) == (2, "tell", before.closes_at)
    house.wait(MONDAY_NOON + 2 * DAY)
    assert (house.run.version, house.run.wave, house.decisions[-1].channel, house.decisions[-1].version) == (2, "call", "sms", 2)


def test_what_closes_a_wave_is_judged_by_the_newer_version_even_when_nothing_else_was_heard() -> None:
    house = under_way()
    house.rules = both(second(wave("tell", "email")), migrations={"winter": 2})
    house.wait(MONDAY_NOON + 2 * DAY)
    assert [closed.version for closed in house.all(WaveClosed)] == [2]
    assert [ended.reason for ended in house.all(RunEnded)] == ["completed"]


def test_who_is_at_a_wave_that_the_newer_version_has_not_got_stays() -> None:
    house = under_way()
    house.rules = both(second(wave("hello", "sms")), migrations={"winter": 2})
    house.touch("page.viewed")
    assert (house.run.version, house.run.wave) == (1, "tell")


def test_who_entered_by_another_key_stays() -> None:
    house = under_way()
    house.rules = both(second(entry={"on": {"event": "cart.updated"}, "key": "order"}), migrations={"winter": 2})
    house.touch("page.viewed")
    assert house.run.version == 1


def test_the_goal_of_who_is_migrated_is_that_of_the_newer_version_from_the_entry_on() -> None:
    house = under_way()
    goal = {"event": "order.placed", "within": "10d", "value": 5}
    house.rules = both(second(goal=goal), migrations={"winter": 2})
    house.touch("page.viewed")
    assert (house.state.goals[0].version, house.state.goals[0].until) == (2, MONDAY_NOON + 10 * DAY)
    house.touch("order.placed", MONDAY_NOON + DAY)
    assert [(reached.version, reached.value) for reached in house.all(GoalReached)] == [(2, 5)]


def test_migrating_again_changes_nothing_and_a_later_version_is_entered_only_when_it_is_asked_for() -> None:
    house = under_way()
    house.rules = both(second(), migrations={"winter": 2})
    house.touch("page.viewed")
    moved = house.state
    house.rules = catalogue(FIRST, second(), campaign("winter", wave("tell", "sms"), version=3), migrations={"winter": 2})
    house.touch("page.viewed")
    assert house.state.runs == moved.runs


def test_nobody_enters_a_campaign_that_drains_and_who_is_under_way_goes_on() -> None:
    house = under_way()
    house.rules = catalogue(FIRST, live=())
    house.wait(MONDAY_NOON + 2 * DAY)
    assert house.run.wave == "call"
    other = House(catalogue(FIRST, live=()))
    assert other.touch("cart.updated") == []


STEPS = st.lists(st.sampled_from(["cart.updated", "page.viewed", "contract.renewed", "wait", "migrate", "end"]), max_size=12)


@settings(deadline=None)
@given(STEPS)
def test_the_count_of_people_in_flight_is_that_of_the_runs_whatever_happens(steps: list[str]) -> None:
    house = House(both(second(), live=(FIRST,)))
    for n, step in enumerate(steps):
        match step:
            case "wait":
                house.wait(house.now + DAY)
            case "migrate":
                house.change(migrations={"winter": 2}, live=(second(),))
            case "end":
                house.change(states={"winter": "ended"}, live=())
            case _:
                house.touch(step, house.now + timedelta(minutes=n), path="/renew")
        runs = Counter((run.campaign, run.version) for state in house.unit.states.values() for run in state.runs)
        assert {key: people for key, people in house.unit.flights.items() if people} == dict(runs)


def test_who_becomes_one_with_another_is_migrated_before_anything_else_is_judged() -> None:
    house = under_way()
    house.rules = both(second(), migrations={"winter": 2})
    house.take(CustomersMerged(customer_id=house.profile.customer_id, absorbed="c-2", at=house.now, profile=house.profile))
    assert house.run.version == 2

"""Schedules over a segment: everybody in it exactly once, at the right instant, whatever happens to the owners on the way."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.customers import Snapshot, Value
from nextwave_contracts.decisions import RunStarted
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.triggers import walk
from nextwave_runtime.application import Timer
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave
from unit.orchestrator.triggers.partition_world import Partitions

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
TOP = {"key": "top", "rule": {"field": "value.cell", "op": "eq", "value": "IV"}}
BERLIN_NINE = datetime(2026, 6, 16, 7, tzinfo=UTC)
ZONES = ("Pacific/Kiritimati", "Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles", "Pacific/Pago_Pago", "")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "PAGE", 3)


def rules(reentry: str = "", revision: int = 1, **schedule: Any) -> Catalogue:
    entry: dict[str, Any] = {"on": {"schedule": {"at": "2026-06-16T09:00", **schedule}}, "audience": {"segment": "top"}}
    again = {"reentry": {"after": reentry}} if reentry else {}
    return catalogue(campaign("news", wave("tell", "email", window="1h"), entry=entry | again), segments=[TOP], revision=revision)


def person(number: int, zone: str = "Europe/Berlin", cell: str = "IV") -> Snapshot:
    return snapshot(customer_id=f"c{number:03}", zones=(zone,) if zone else (), value=Value(cell=cell))  # type: ignore[arg-type]  # a cell


def world(catalogue_: Catalogue, people: int = 20, **more: Any) -> Partitions:
    """Every third is not in the segment."""
    made = Partitions(catalogue_, **more)
    for n in range(people):
        made.know(person(n, ZONES[n % len(ZONES)], "I" if n % 3 == 0 else "IV"))
    made.announce("campaign_opened", "news")
    return made


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    crashes=st.sampled_from([0.0, 0.3, 0.7]),
    zone=st.sampled_from(["customer", "Europe/Berlin"]),
    pace=st.sampled_from([0, 1, 10]),
    days=st.integers(1, 3),
)
def test_everybody_in_the_segment_enters_exactly_once_in_each_occurrence_whoever_crashes(
    seed: int, crashes: float, zone: str, pace: int, days: int
) -> None:
    often: dict[str, Any] = {"every": "day"} if days > 1 else {}
    live = rules("1h", zone=zone, pace=pace, **often)
    made = world(live, people=18, crashes=crashes, chance=Random(seed))
    made.wait(datetime(2026, 6, 15 + days, 9, tzinfo=UTC) + 13 * HOUR)
    entered = Counter((one.customer_id, one.caused_by) for one in made.started)
    members = {f"c{n:03}" for n in range(18) if n % 3}
    occurrences = [f"schedule:2026-06-{16 + n}T09:00:00" for n in range(days)]
    assert {customer for customer, _ in entered} == members
    assert set(entered.values()) == {1}
    assert {(customer, one) for customer in members for one in occurrences} <= set(entered)


@pytest.mark.parametrize("crashes", [0.0, 0.5])
def test_on_their_own_clocks_everybody_enters_at_nine(crashes: float) -> None:
    made = world(rules(), crashes=crashes)
    made.wait(MONDAY_NOON + 3 * DAY)
    assert made.lost > 0 or not crashes
    at = {"Pacific/Kiritimati": -14, "Asia/Tokyo": -9, "Europe/Berlin": -2, "America/Los_Angeles": 7, "Pacific/Pago_Pago": 11, "": 0}
    nine = datetime(2026, 6, 16, 9, tzinfo=UTC)
    assert sorted(made.entries()) == [(f"c{n:03}", nine + at[ZONES[n % 6]] * HOUR) for n in range(20) if n % 3]


def test_many_walks_at_once_wait_for_each_other_and_none_is_lost() -> None:
    on = {"on": {"schedule": {"at": "2026-06-16T09:00", "zone": "Europe/Berlin"}}}
    keys = [f"news-{n}" for n in range(5)]
    made = Partitions(catalogue(*(campaign(key, wave("tell", "email"), entry=on) for key in keys)))
    for n in range(10):
        made.know(person(n))
    for key in keys:
        made.announce("campaign_opened", key)
    made.wait(BERLIN_NINE + HOUR)
    entered = Counter((one.customer_id, one.campaign) for one in made.started)
    assert entered == Counter({(f"c{n:03}", key): 1 for n in range(10) for key in keys})


@pytest.mark.parametrize("zone", ["customer", "Europe/Berlin"])
def test_a_walk_visits_every_customer_once(zone: str) -> None:
    made = world(rules(zone=zone), people=31)
    made.wait(MONDAY_NOON + 3 * DAY)
    assert sorted(made.visited) == [f"c{n:03}" for n in range(31)]


def test_the_pace_is_kept_over_all_partitions_and_the_next_page_waits_for_it() -> None:
    made = world(rules(zone="Europe/Berlin", pace=2), people=60, partitions=3)
    made.wait(BERLIN_NINE)
    assert sum(timer.kind == "scheduled" for timer in made.timers.values()) <= 3 * walk.PAGE
    made.wait(BERLIN_NINE + DAY)
    instants = sorted(at for _, at in made.entries())
    assert len(instants) == 40
    assert all(sum(at <= other < at + MINUTE for other in instants) <= 2 for at in instants)
    assert instants[-1] < BERLIN_NINE + 2 * 40 * MINUTE


def test_a_pause_in_the_middle_of_a_walk_puts_the_rest_off_and_nobody_is_let_in_twice() -> None:
    live = rules(zone="Europe/Berlin", pace=2)
    made = world(live, people=30)
    made.wait(BERLIN_NINE + 3 * MINUTE)
    before = len(made.entries())
    made.rules = catalogue(campaigns_of(live), segments=[TOP], live=(), states={"news": "paused"})
    made.wait(BERLIN_NINE + 2 * HOUR)
    assert 0 < len(made.entries()) == before < 20
    made.rules = live
    made.announce("campaign_opened", "news")
    made.wait(BERLIN_NINE + 5 * HOUR)
    assert Counter(c for c, _ in made.entries()) == Counter({f"c{n:03}": 1 for n in range(30) if n % 3})


def campaigns_of(live: Catalogue) -> Any:
    return live.live[0]


def test_the_end_of_the_campaign_ends_the_walk() -> None:
    live = rules(zone="Europe/Berlin", pace=2)
    made = world(live, people=30)
    made.wait(BERLIN_NINE + 3 * MINUTE)
    before = len(made.entries())
    made.rules = catalogue(campaigns_of(live), segments=[TOP], live=(), states={"news": "ended"})
    made.wait(BERLIN_NINE + DAY)
    assert len(made.entries()) == before
    assert not [timer for timer in made.timers.values() if timer.kind in {"walk", "scheduled"}]


def test_who_comes_to_the_segment_while_an_occurrence_is_handed_out_has_it_too() -> None:
    made = world(rules(), people=0)
    late, leaver, missed = person(1, "America/Los_Angeles", "I"), person(2, "America/Los_Angeles"), person(3, "Asia/Tokyo", "I")
    for one in (late, leaver, missed):
        made.know(one)
    made.wait(BERLIN_NINE)
    made.know(person(4, "America/Los_Angeles"))
    for changed in (person(1, "America/Los_Angeles"), person(2, "America/Los_Angeles", "I"), person(3, "Asia/Tokyo")):
        made.know(changed)
    made.wait(BERLIN_NINE + DAY)
    assert sorted(made.entries()) == [(name, datetime(2026, 6, 16, 16, tzinfo=UTC)) for name in ("c001", "c004")]


def test_who_comes_to_the_segment_after_their_time_has_the_next_one_alone() -> None:
    made = world(rules("1h", every="day"), people=0)
    made.know(person(1, "Asia/Tokyo", "I"))
    made.wait(datetime(2026, 6, 16, 20, tzinfo=UTC))
    made.know(person(1, "Asia/Tokyo"))
    made.wait(made.now + 6 * HOUR)
    assert made.entries() == [("c001", datetime(2026, 6, 17, tzinfo=UTC))]


def test_who_moves_west_waits_for_their_new_clock_and_is_let_in_once() -> None:
    made = world(rules(reentry="1h"), people=0)
    made.know(person(1, "Europe/Berlin"))
    made.wait(BERLIN_NINE - HOUR)
    made.know(person(1, "America/Los_Angeles"))
    made.wait(BERLIN_NINE + DAY)
    assert made.entries() == [("c001", datetime(2026, 6, 16, 16, tzinfo=UTC))]


def test_who_moves_west_after_their_turn_is_not_let_in_again() -> None:
    made = world(rules(reentry="1h"), people=0)
    made.know(person(1, "Europe/Berlin", "I"))
    made.wait(BERLIN_NINE - HOUR)
    made.know(person(1, "Europe/Berlin"))
    made.wait(BERLIN_NINE + HOUR)
    made.know(person(1, "America/Los_Angeles", "I"))
    made.know(person(1, "America/Los_Angeles"))
    made.wait(BERLIN_NINE + DAY)
    assert made.entries() == [("c001", BERLIN_NINE)]


def test_published_in_the_middle_of_the_day_it_lets_in_only_those_whose_time_is_still_to_come() -> None:
    made = Partitions(rules(), now=datetime(2026, 6, 16, 12, tzinfo=UTC))
    for n, zone in enumerate(ZONES):
        made.know(person(n, zone))
    made.announce("campaign_opened", "news")
    made.wait(made.now + 2 * DAY)
    assert sorted(customer for customer, _ in made.entries()) == ["c003", "c004"]


def test_an_owner_that_has_not_read_the_new_catalogue_waits_for_it() -> None:
    new = rules(zone="Europe/Berlin", revision=5)
    made = Partitions(catalogue(revision=4))
    made.know(person(1))
    made.announce("campaign_opened", "news", revision=5)
    made.wait(MONDAY_NOON + 3 * walk.CATALOGUE_LAGS)
    made.rules = new
    made.wait(BERLIN_NINE + HOUR)
    assert made.entries() == [("c001", BERLIN_NINE)]


def test_after_a_long_outage_only_the_newest_occurrence_is_made_up_for() -> None:
    made = world(rules("1h", zone="Europe/Berlin", every="day"), people=4)
    made.wait(BERLIN_NINE - HOUR)
    made.now = BERLIN_NINE + 3 * DAY + HOUR
    made.wait(made.now)
    assert Counter(customer for customer, _ in made.entries()) == Counter({"c001": 1, "c002": 1})


def test_a_new_schedule_takes_the_place_of_the_old_one_from_its_next_occurrence_on() -> None:
    made = world(rules("1h", zone="Europe/Berlin", every="day"), people=3)
    made.wait(BERLIN_NINE + HOUR)
    made.rules = rules("1h", revision=2, zone="Europe/Berlin", every="day", at="2026-06-16T15:00")
    made.announce("campaign_opened", "news")
    made.wait(BERLIN_NINE + DAY + 7 * HOUR)
    hours = sorted({(at.day, at.hour) for _, at in made.entries()})
    assert hours == [(16, 7), (16, 13), (17, 13)]


def test_what_was_the_turn_of_one_of_two_customers_who_become_one_is_not_the_others_turn_again() -> None:
    live, nine = rules("1h"), "2026-06-16T09:00:00"
    house = House(live, profile=person(1, "America/Los_Angeles"))
    other = House(live, profile=person(2, "Europe/Berlin"), unit=house.unit)
    for one, due_at in ((house, BERLIN_NINE + 9 * HOUR), (other, BERLIN_NINE)):
        one.touch("page.viewed")
        one.timers.append(Timer(0, due_at, f"{one.profile.customer_id}/news/{nine}", "scheduled"))
    other.wait(BERLIN_NINE + HOUR)
    house.now = other.now
    house.merge("c002")
    house.wait(BERLIN_NINE + DAY)
    started = [*other.all(RunStarted), *house.all(RunStarted)]
    assert [(one.customer_id, one.at) for one in started] == [("c002", BERLIN_NINE)]

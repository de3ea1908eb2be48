"""Campaigns on a day of the profile: for new customers and for those who exist already, and never for a day that is no longer so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from nextwave_contracts.customers import Registered, Snapshot
from nextwave_contracts.decisions import RunStarted
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.triggers import walk
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave
from unit.orchestrator.triggers.partition_world import Partitions

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NINE_IN_BERLIN = datetime(2026, 7, 1, 7, tzinfo=UTC)
FIRST_OF_JULY = "1990-07-01"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "PAGE", 3)


def rules(of: str = "birthday", revision: int = 1, key: str = "", **date_: Any) -> Catalogue:
    entry = {"on": {"date": {"of": of, **date_}}, "reentry": {"after": "300d"}} | ({"key": key} if key else {})
    return catalogue(campaign("wishes", wave("wish", "email", window="1d"), entry=entry), revision=revision)


def born(day: Any = FIRST_OF_JULY, number: int = 1, zone: str = "Europe/Berlin", **changes: Any) -> Snapshot:
    return snapshot(customer_id=f"c{number}", traits={"birthday": day}, zones=(zone,), **changes)


def test_a_customer_enters_at_the_local_time_of_every_birthday() -> None:
    made = Partitions(rules())
    made.know(born())
    made.wait(MONDAY_NOON + 800 * DAY)
    assert made.entries() == [("c1", datetime(year, 7, 1, 7, tzinfo=UTC)) for year in (2026, 2027, 2028)]
    assert {one.caused_by for one in made.started} == {"date:birthday"}


@pytest.mark.parametrize("crashes", [0.0, 0.6])
def test_who_exists_already_when_the_campaign_is_published_has_their_day_too(crashes: float) -> None:
    made = Partitions(catalogue(revision=0), crashes=crashes, chance=Random(3))
    for n in range(10, 30):
        made.know(born(number=n) if n % 2 else born(None, number=n))
    made.rules = rules()
    made.announce("campaign_opened", "wishes")
    made.wait(NINE_IN_BERLIN)
    assert sorted(made.entries()) == [(f"c{n}", NINE_IN_BERLIN) for n in range(11, 30, 2)]
    assert made.lost or not crashes


def test_a_changed_day_takes_the_place_of_the_old_one_and_a_day_taken_back_never_comes() -> None:
    made = Partitions(rules())
    for n in (1, 2, 3):
        made.know(born(number=n))
    made.know(born("1990-07-03", number=1, version=2))
    made.know(born(None, number=2, version=2))
    made.know(born(number=3, zone="Asia/Tokyo", version=2))
    made.wait(NINE_IN_BERLIN + 10 * DAY)
    assert made.entries() == [("c3", datetime(2026, 7, 1, 0, tzinfo=UTC)), ("c1", NINE_IN_BERLIN + 2 * DAY)]


def test_other_events_set_no_second_timer() -> None:
    made = Partitions(rules())
    for version in range(1, 6):
        made.know(born(version=version))
    assert [timer.kind for timer in made.timers.values()] == ["date"]


def test_each_product_is_a_run_of_its_own_where_the_entry_is_keyed_by_it() -> None:
    products = tuple(Registered(name=name, purchased_on=date(2025, 7, 1)) for name in ("oven", "hob"))
    by_key = {}
    for key in ("", "product"):
        made = Partitions(rules("product_birthday", key=key))
        made.know(snapshot(customer_id="c1", products=products))
        made.wait(NINE_IN_BERLIN)
        by_key[key] = [run.entry_key for run in made.state("c1").runs]
    assert by_key == {"": [""], "product": ["hob", "oven"]}


def test_a_contract_lets_in_before_its_end_and_a_new_end_again() -> None:
    made = Partitions(rules("contract_end", before="30d"))
    ends = datetime(2026, 7, 31, tzinfo=UTC)
    made.know(snapshot(customer_id="c1", contract_ends_at=ends))
    made.wait(NINE_IN_BERLIN + DAY)
    made.know(snapshot(customer_id="c1", version=2, contract_ends_at=ends + 365 * DAY))
    made.wait(NINE_IN_BERLIN + 800 * DAY)
    assert made.entries() == [("c1", NINE_IN_BERLIN), ("c1", NINE_IN_BERLIN + 365 * DAY)]


@pytest.mark.parametrize(("late", "entries"), [(timedelta(hours=23), 1), (timedelta(hours=25), 0)])
def test_a_day_that_could_not_be_served_for_more_than_a_day_is_over(late: timedelta, entries: int) -> None:
    made = Partitions(rules())
    made.know(born())
    made.now = NINE_IN_BERLIN + late
    made.wait(made.now)
    assert len(made.entries()) == entries
    assert made.state("c1").dates == {"wishes": datetime(2027, 7, 1, 7, tzinfo=UTC)}


def test_what_falls_in_a_pause_is_lost_and_going_on_sets_the_next_one() -> None:
    live = rules()
    made = Partitions(live)
    made.know(born())
    made.rules = catalogue(live.live[0], live=(), states={"wishes": "paused"})
    made.wait(NINE_IN_BERLIN + DAY)
    made.rules = live
    made.announce("campaign_opened", "wishes")
    made.wait(NINE_IN_BERLIN + 366 * DAY)
    assert made.entries() == [("c1", datetime(2027, 7, 1, 7, tzinfo=UTC))]


def test_a_new_version_with_another_time_makes_the_timers_of_the_old_one_stale() -> None:
    made = Partitions(rules())
    made.know(born())
    made.rules = rules(revision=2, at="18:30", before="2d")
    made.announce("campaign_opened", "wishes")
    made.wait(NINE_IN_BERLIN + DAY)
    assert made.entries() == [("c1", datetime(2026, 6, 29, 16, 30, tzinfo=UTC))]


def test_who_was_absorbed_has_no_day_any_more() -> None:
    house = House(rules())
    house.profile = born(number=1)
    house.touch("page.viewed")
    two = House(rules(), profile=born(number=2), unit=house.unit)
    two.touch("page.viewed")
    house.timers += two.timers
    house.merge("c2")
    assert house.unit.states["c2"].dates == {}
    house.wait(NINE_IN_BERLIN)
    assert [started.customer_id for started in house.all(RunStarted)] == ["c1"]


def test_a_day_whose_timer_was_lost_is_over_and_the_next_one_comes() -> None:
    made = Partitions(rules())
    made.know(born())
    made.timers.clear()
    made.now = NINE_IN_BERLIN + DAY + timedelta(seconds=1)
    made.know(born())
    made.wait(NINE_IN_BERLIN + 366 * DAY)
    assert made.entries() == [("c1", datetime(2027, 7, 1, 7, tzinfo=UTC))]


@pytest.mark.parametrize("kept", [True, False])
def test_a_day_that_has_come_and_is_read_anew_before_its_timer_fires_is_kept_as_far_as_it_is_still_so(kept: bool) -> None:
    oven, lamp = (Registered(name=name, purchased_on=day) for name, day in (("oven", date(2025, 7, 1)), ("lamp", date(2025, 9, 1))))
    made = Partitions(rules("product_birthday"))
    made.know(snapshot(customer_id="c1", products=(oven,)))
    made.now = NINE_IN_BERLIN + timedelta(seconds=1)
    made.know(snapshot(customer_id="c1", version=2, products=(oven, lamp) if kept else (lamp,)))
    assert made.state("c1").dates == {"wishes": NINE_IN_BERLIN if kept else datetime(2026, 9, 1, 7, tzinfo=UTC)}
    made.wait(NINE_IN_BERLIN + HOUR)
    assert made.entries() == ([("c1", NINE_IN_BERLIN)] if kept else [])
    assert made.state("c1").dates == {"wishes": datetime(2026, 9, 1, 7, tzinfo=UTC)}

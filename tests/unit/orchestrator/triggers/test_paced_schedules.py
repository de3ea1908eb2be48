"""Schedules that are corrected, paused or held up while they are handed out: the pace holds all the same, and what is over stays over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nextwave_contracts.customers import Snapshot
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.triggers import walk
from nextwave_orchestrator.triggers.timetable import Lane
from unit.orchestrator.decision_world import MONDAY_NOON, campaign, catalogue, snapshot, wave
from unit.orchestrator.triggers.partition_world import Partitions

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
BERLIN_NINE = datetime(2026, 6, 16, 7, tzinfo=UTC)


def rules(revision: int = 1, **schedule: Any) -> Catalogue:
    on = {"schedule": {"at": "2026-06-16T09:00", **schedule}}
    return catalogue(campaign("news", wave("tell", "email", window="1h"), entry={"on": on}), revision=revision)


def paused(live: Catalogue) -> Catalogue:
    return catalogue(live.live[0], live=(), states={"news": "paused"})


def person(number: int, zone: str = "Europe/Berlin") -> Snapshot:
    return snapshot(customer_id=f"c{number:03}", zones=(zone,))


def world(live: Catalogue, people: int) -> Partitions:
    made = Partitions(live)
    for n in range(people):
        made.know(person(n))
    made.announce("campaign_opened", "news")
    return made


def by_minute(made: Partitions, until: datetime) -> Counter[datetime]:
    """How many entered in each minute of processing."""
    entered: Counter[datetime] = Counter()
    for minute in minutes(made.now, until):
        before = len(made.started)
        made.wait(minute)
        entered[minute] += len(made.started) - before
    return entered


def minutes(first: datetime, until: datetime) -> Iterator[datetime]:
    while first < until:
        first += MINUTE
        yield first


def test_after_an_outage_those_held_up_come_at_the_pace_too() -> None:
    made = world(rules(zone="Europe/Berlin", pace=6), people=150)
    made.wait(BERLIN_NINE + 3 * MINUTE)
    made.now = BERLIN_NINE + 30 * MINUTE
    made.wait(made.now + MINUTE)
    assert [len(walk.walk_of(timer).taken) for timer in made.timers.values() if timer.kind == walk.WALK] == [1, 1]
    entered = by_minute(made, BERLIN_NINE + HOUR)
    assert len(made.started) == 150
    assert max(entered.values()) <= 6 + 1  # the edges of minutes


def test_after_a_pause_only_the_seconds_given_away_already_come_beside_the_pace() -> None:
    live = rules(zone="Europe/Berlin", pace=6)
    made = world(live, people=150)
    made.wait(BERLIN_NINE + 3 * MINUTE)
    made.rules = paused(live)
    made.wait(BERLIN_NINE + 2 * HOUR)
    before = len(made.started)
    assert sum(timer.kind == "scheduled" for timer in made.timers.values()) <= 4
    made.rules = live
    made.announce("campaign_opened", "news")
    entered = by_minute(made, BERLIN_NINE + 4 * HOUR)
    assert before + sum(entered.values()) == 150
    assert max(entered.values()) <= 6 + 4


@pytest.mark.parametrize("page", [3, 200])
def test_a_pace_in_a_fixed_zone_is_handed_out_only_shortly_ahead(page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "PAGE", page)
    made = world(rules(zone="Europe/Berlin", pace=6), people=60)
    made.wait(BERLIN_NINE + MINUTE)
    pending = [timer.due_at for timer in made.timers.values() if timer.kind == "scheduled"]
    assert 0 < len(pending) <= 6
    assert max(pending) <= made.now + walk.READ_AHEAD + 20 * timedelta(seconds=1)
    made.wait(BERLIN_NINE + HOUR)
    assert Counter(customer for customer, _ in made.entries()) == Counter({f"c{n:03}": 1 for n in range(60)})


def test_slots_of_the_past_are_not_remembered() -> None:
    lane = Lane(BERLIN_NINE, 6, 0, 2)
    taken = ((0, 2), (3, 4), (5, 7))
    assert lane.ahead(taken, BERLIN_NINE + 2 * MINUTE) == ((5, 7),)
    assert lane.ahead(taken, BERLIN_NINE) == taken


def test_a_corrected_day_reaches_whoever_had_no_turn_yet_also_after_it_began_to_be_handed_out() -> None:
    made = Partitions(rules())
    for n, zone in enumerate(("Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles")):
        made.know(person(n, zone))
    made.announce("campaign_opened", "news")
    made.wait(BERLIN_NINE - 5 * HOUR)
    made.rules = rules(revision=2, at="2026-06-18T09:00")
    made.announce("campaign_opened", "news")
    made.wait(BERLIN_NINE + 4 * DAY)
    assert sorted(made.entries()) == [
        ("c000", datetime(2026, 6, 16, 0, tzinfo=UTC)),
        ("c001", BERLIN_NINE + 2 * DAY),
        ("c002", BERLIN_NINE + 2 * DAY + 9 * HOUR),
    ]


def test_a_walk_that_is_under_way_ends_when_a_newer_schedule_has_not_got_its_occurrence() -> None:
    made = world(rules(zone="Europe/Berlin", pace=6), people=30)
    made.wait(BERLIN_NINE + MINUTE)
    made.rules = rules(revision=2, at="2026-06-18T09:00", zone="Europe/Berlin", pace=6)
    before = len(made.started)
    made.wait(BERLIN_NINE + 2 * MINUTE)
    assert 0 < len(made.started) == before
    assert {timer.kind for timer in made.timers.values()} == {"close"}


def test_walks_wait_until_everything_received_up_to_their_time_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "PAGE", 3)
    made = world(rules(zone="Europe/Berlin", pace=6), people=20)
    made.wait(MONDAY_NOON)
    walks = [timer for timer in made.timers.values() if timer.kind == walk.WALK]
    made.wait(BERLIN_NINE + MINUTE)
    further = [timer for timer in made.timers.values() if timer.kind == walk.WALK]
    assert {timer.gate for timer in walks} == {timer.gate for timer in further} == {"watermark"}

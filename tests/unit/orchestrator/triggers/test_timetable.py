"""When a schedule comes round, against a calendar that is read day by day, and the pace at which it lets people in."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_orchestrator.triggers.timetable import BEHIND, Lane, Taken, Timetable
from unit.orchestrator.decision_world import snapshot
from unit.orchestrator.triggers.clock_watcher import changing_zones, first_showing, wall

MINUTE = timedelta(minutes=1)
START = datetime(2026, 6, 15, 12, tzinfo=UTC)
ZONES = tuple(name for name, _ in changing_zones())
timetables = st.builds(
    Timetable,
    first=st.datetimes(wall("2026-01-01T00:00"), wall("2026-12-31T00:00")).map(
        lambda drawn: drawn.replace(minute=drawn.minute // 15 * 15, second=0, microsecond=0)
    ),
    every=st.sampled_from(["", "day", "week", "month"]),
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    zone=st.none() | st.sampled_from(ZONES).map(ZoneInfo),
)


def comes_on(timetable: Timetable, day: date) -> bool:
    """Whether a day is one of it, by its number of days, its weekday or its place in the month."""
    first = timetable.first.date()
    if timetable.every == "":
        return day == first
    if timetable.every == "week":
        return day >= first and day.weekday() in timetable.weekdays
    is_its_day = day.day == min(first.day, monthrange(day.year, day.month)[1])
    return day >= first and (timetable.every == "day" or is_its_day)


@given(timetable=timetables, days=st.integers(-400, 900), clock=st.times())
def test_the_next_time_is_the_first_day_that_comes_in_a_calendar_read_day_by_day(timetable: Timetable, days: int, clock: time) -> None:
    after = datetime.combine(timetable.first.date() + timedelta(days=days), clock)
    walked = [after.date() + timedelta(days=n) for n in range(450)]
    expected = (datetime.combine(day, timetable.first.time()) for day in walked if comes_on(timetable, day))
    assert timetable.next_local(after) == next((local for local in expected if local > after), None)


@given(timetable=timetables, zone=st.sampled_from(ZONES))
def test_an_occurrence_is_for_everybody_within_its_own_span_and_is_one_of_the_timetable(timetable: Timetable, zone: str) -> None:
    local = timetable.next_local(wall("2025-01-01T00:00"))
    assert local is not None
    assert timetable.has(local)
    assert not timetable.has(local + MINUTE)
    own = timetable.instant(local, snapshot(zones=(zone,)))
    assert own == first_showing(timetable.zone or ZoneInfo(zone), local)
    assert timetable.starts_at(local) <= own <= timetable.ends_at(local)
    assert timetable.next_after(timetable.ends_at(local) - MINUTE) == local


def test_on_customers_own_clocks_two_days_are_handed_out_at_once_where_tomorrow_has_begun_somewhere() -> None:
    daily = Timetable(first=wall("2026-01-01T09:00"), every="day")
    at = datetime(2026, 6, 15, 20, tzinfo=UTC)
    assert daily.being_handed_out(at) == (wall("2026-06-15T09:00"), wall("2026-06-16T09:00"))
    assert list(Timetable(first=wall("2026-01-01T09:00"), every="day", zone=ZoneInfo("UTC")).being_handed_out(at)) == []
    assert daily.ends_at(wall("2026-06-15T09:00")) == datetime(2026, 6, 15, 9, tzinfo=UTC) + BEHIND


@pytest.mark.parametrize(("month", "day"), [(1, 31), (2, 28), (3, 31), (4, 30)])
def test_a_monthly_one_of_the_31st_comes_on_the_last_day_of_shorter_months(month: int, day: int) -> None:
    monthly = Timetable(first=wall("2027-01-31T09:00"), every="month")
    assert monthly.next_local(wall(f"2027-{month:02}-01")) == wall(f"2027-{month:02}-{day:02}T09:00")


@given(
    pace=st.integers(1, 5_000),
    partitions=st.integers(1, 7),
    wanted=st.lists(st.tuples(st.integers(0, 6), st.sampled_from([0, 0, 0, 1, 30, 31, 600])), max_size=60),
)
def test_all_partitions_together_never_let_in_more_in_a_minute_than_the_pace_and_nobody_too_early_or_needlessly_late(
    pace: int, partitions: int, wanted: list[tuple[int, int]]
) -> None:
    lanes = [Lane(START, pace, partition, partitions) for partition in range(partitions)]
    taken: list[Taken] = [()] * partitions
    slots: dict[datetime, int] = {}
    for place, minutes in wanted:
        lane, wish = place % partitions, START + minutes * MINUTE
        at, taken[lane] = lanes[lane].take(taken[lane], wish)
        slot = round((at - START) * pace / MINUTE)
        assert at == START + slot * MINUTE / pace
        assert slot % partitions == lane
        assert at >= wish - timedelta.resolution
        assert at not in slots, "two in one slot"
        earlier = START + (slot - partitions) * MINUTE / pace
        assert earlier < wish or earlier in slots, "a slot in time was free"
        slots[at] = lane
    assert all(sum(at <= other < at + MINUTE for other in slots) <= pace for at in slots)

"""Days of the profile: anniversaries, ends of contracts and traits, against a calendar that is read day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.customers import Registered, Snapshot
from nextwave_orchestrator.triggers.dates import DateTrigger
from unit.orchestrator.decision_world import snapshot
from unit.orchestrator.triggers.clock_watcher import changing_zones, first_showing, wall

NINE = time(9)
BIRTHDAY = DateTrigger(of="birthday", shift_days=0, clock=NINE, yearly=True)
ZONES = tuple(name for name, _ in changing_zones())


def born(day: object, zone: str = "Europe/Berlin") -> Snapshot:
    return snapshot(traits={"birthday": day}, zones=(zone,))


def at(*parts: int) -> datetime:
    year, month, day, *time_ = parts
    hour, minute = (*time_, 0, 0)[:2]
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def anniversary_read_day_by_day(day: date, shift: int, after: datetime, zone: ZoneInfo, clock: time) -> datetime:
    """Walks the calendar: a day is the anniversary when it has the same day and month, or is the last of a February without the 29th."""
    walked = after.date() - timedelta(days=abs(shift) + 3)
    while True:
        walked += timedelta(days=1)
        is_same = (walked.month, walked.day) == (day.month, day.day)
        ends_february = walked.month == 2 and (walked + timedelta(days=1)).month == 3
        if walked.year <= day.year or not (is_same or ((day.month, day.day) == (2, 29) and walked.day == 28 and ends_february)):
            continue
        instant = first_showing(zone, datetime.combine(walked + timedelta(days=shift), clock))
        if instant > after:
            return instant


@given(
    day=st.dates(date(1930, 1, 1), date(2024, 12, 31)) | st.sampled_from([date(1988, 2, 29), date(2020, 2, 29), date(1999, 12, 31)]),
    shift=st.integers(-60, 60) | st.sampled_from([-366, 366, 0]),
    after=st.datetimes(wall("2025-01-01T00:00"), wall("2031-01-01T00:00"), timezones=st.just(UTC)),
    zone=st.sampled_from(ZONES),
    clock=st.sampled_from([NINE, time(0), time(2, 30), time(23, 45)]),
)
def test_the_next_anniversary_is_the_one_that_a_calendar_read_day_by_day_has(
    day: date, shift: int, after: datetime, zone: str, clock: time
) -> None:
    trigger = DateTrigger(of="birthday", shift_days=shift, clock=clock, yearly=True)
    expected = anniversary_read_day_by_day(day, shift, after, ZoneInfo(zone), clock)
    assert trigger.next_after(born(day.isoformat(), zone), after, None) == expected


def test_who_was_born_on_29_february_has_a_birthday_every_year() -> None:
    known = born("1988-02-29")
    assert BIRTHDAY.next_after(known, at(2027, 1, 1), None) == at(2027, 2, 28, 8)
    assert BIRTHDAY.next_after(known, at(2028, 1, 1), None) == at(2028, 2, 29, 8)


@pytest.mark.parametrize("written", ["1990-03-01", "1990-03-01T00:00:00.000Z", "1990-03-01T23:30:00-08:00"])
def test_a_birthday_is_the_day_that_was_written_everywhere(written: str) -> None:
    assert BIRTHDAY.next_after(born(written, "America/Los_Angeles"), at(2026, 1, 1), None) == at(2026, 3, 1, 17)


@pytest.mark.parametrize("written", [None, "soon", "", 19900301, "0001-01-01", "9999-12-31", ["1990-03-01"], "1990-13-01"])
def test_what_is_no_day_is_never_due(written: object) -> None:
    assert BIRTHDAY.next_after(born(written), at(2026, 1, 1), None) is None


def test_a_product_has_its_first_birthday_a_year_after_it_was_bought_and_products_of_one_day_come_together() -> None:
    trigger = DateTrigger(of="product_birthday", shift_days=0, clock=NINE, yearly=True)
    bought = [("oven", date(2026, 5, 1)), ("hob", date(2026, 5, 1)), ("fridge", date(2025, 6, 1)), ("lamp", None)]
    known = snapshot(products=tuple(Registered(name=name, purchased_on=day) for name, day in bought))
    assert trigger.next_after(known, at(2026, 4, 1), None) == at(2026, 6, 1, 7)
    assert trigger.next_after(known, at(2026, 7, 1), None) == at(2027, 5, 1, 7)
    assert [one.about for one in trigger.falling_on(known, at(2027, 5, 1, 7))] == ["hob", "oven"]


def test_a_contract_ends_on_the_customers_day_and_one_told_without_a_time_on_the_day_told() -> None:
    trigger = DateTrigger(of="contract_end", shift_days=-30, clock=NINE, yearly=False)
    for ends, day in ((at(2026, 12, 31, 23, 30), 2), (at(2026, 12, 31), 1)):
        known = snapshot(contract_ends_at=ends, zones=("Asia/Tokyo",))
        assert trigger.next_after(known, at(2026, 1, 1), None) == at(2026, 12, day, 0)
        assert trigger.next_after(known, at(2026, 12, 3), None) is None


def test_a_trait_lies_also_within_an_object_and_comes_once_unless_it_is_yearly() -> None:
    known = snapshot(traits={"lease": {"ends": "2026-10-01"}})
    once = DateTrigger(of="traits.lease.ends", shift_days=-7, clock=NINE, yearly=False)
    yearly = DateTrigger(of="traits.lease.ends", shift_days=0, clock=NINE, yearly=True)
    assert once.next_after(known, at(2026, 1, 1), None) == at(2026, 9, 24, 7)
    assert yearly.next_after(known, at(2026, 1, 1), None) == at(2027, 10, 1, 7)


def test_a_day_that_was_served_does_not_come_again_when_the_customer_moves_west() -> None:
    berlin, angeles = born("1990-03-01"), born("1990-03-01", "America/Los_Angeles")
    served = wall("2026-03-01T09:00")
    assert BIRTHDAY.next_after(angeles, at(2026, 3, 1, 8, 1), None) == at(2026, 3, 1, 17)
    assert BIRTHDAY.next_after(angeles, at(2026, 3, 1, 8, 1), served) == at(2027, 3, 1, 17)
    assert not BIRTHDAY.reads_the_same(berlin, angeles)

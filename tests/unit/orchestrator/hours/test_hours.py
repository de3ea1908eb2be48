"""Contact hours, against a checker that walks minute by minute through every zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nextwave_orchestrator.hours.rules import RULES, applicable, other_countries
from nextwave_orchestrator.hours.spans import DAYS_MAX, SPANS_MAX, Hours, next_allowed, permitted_spans

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DINNER = (("18:00", "20:00"),)
PLACES = [
    (("America/New_York",), "US", "NY"),
    (("America/Chicago", "America/New_York"), "US", "US-TX"),
    (("America/Los_Angeles", "America/New_York"), "US", ""),
    (("Europe/Berlin",), "DE", "BY"),
    (("Europe/Paris",), "FR", ""),
    (("Europe/London",), "GB", "SCT"),
    (("Australia/Lord_Howe",), "AU", "NSW"),
    (("Australia/Sydney", "Australia/Perth"), "AU", ""),
    (("America/Havana",), "CU", ""),
    (("Africa/Cairo",), "EG", ""),
    (("America/St_Johns",), "CA", "NL"),
    (("Asia/Kolkata",), "IN", ""),
    (("Pacific/Apia",), "WS", ""),
    (("Asia/Beirut",), "LB", "XX"),
    (("Pacific/Kiritimati", "Asia/Tokyo"), "", ""),
]
CHANGES = [
    datetime(2026, 3, 8, tzinfo=UTC),
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 4, 5, tzinfo=UTC),
    datetime(2026, 4, 24, tzinfo=UTC),
    datetime(2026, 10, 4, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 12, 24, tzinfo=UTC),
    datetime(2011, 12, 30, tzinfo=UTC),
]
QUIET = [(), DINNER, (("22:00", "08:00"),), (("01:30", "02:30"), ("23:00", "00:30")), (("00:00", "00:00"),)]

OTHERS = [(), ("FR",), ("US",)]
"""Where a number is from, beside the place."""


def slow(hours: Hours, instant: datetime) -> bool:
    """The rule in words, for one instant: local time, in every zone, in the windows of the day, no holiday, not quiet."""
    return all(_slow_in(hours, instant.astimezone(ZoneInfo(name))) for name in hours.zones)


def _slow_in(hours: Hours, local: datetime) -> bool:
    clock = f"{local:%H:%M}"
    for start, end in hours.quiet:
        if start < end and start <= clock < end:
            return False
        if start >= end and (clock >= start or clock < end):
            return False
    if hours.channel not in {"sms", "call"}:
        return True
    places = [(hours.country, hours.region), *((other, "") for other in hours.others)]
    return all(_open_in(place, hours.channel, local) for place in places)


def _open_in(place: tuple[str, str], channel: str, local: datetime) -> bool:
    clock = f"{local:%H:%M}"
    if place[0] and _is_holiday(place, local):
        return False
    for rule in applicable(*place, channel):
        text = rule.weekdays if local.weekday() < 5 else rule.saturday if local.weekday() == 5 else rule.sunday
        if not any(part.split("-")[0] <= clock < part.split("-")[1] for part in text.split()):
            return False
    return True


def _is_holiday(place: tuple[str, str], local: datetime) -> bool:
    calendar = _calendar(place[0], place[1].rpartition("-")[2])
    return calendar is not None and local.date() in calendar


@cache
def _calendar(country: str, region: str) -> holidays.HolidayBase | None:
    for part in (region or None, None):
        try:
            return holidays.country_holidays(country, subdiv=part)
        except NotImplementedError:
            continue
    return None


@settings(max_examples=60, deadline=None)
@given(
    place=st.sampled_from(PLACES),
    channel=st.sampled_from(["call", "sms", "webpush"]),
    quiet=st.sampled_from(QUIET),
    around=st.sampled_from(CHANGES),
    offset=st.integers(-1800, 1800),
)
@example(
    place=(("America/Havana",), "CU", ""), channel="webpush", quiet=(("22:00", "08:00"),), around=datetime(2026, 3, 8, tzinfo=UTC), offset=0
)
@example(
    place=(("Australia/Lord_Howe",), "AU", ""), channel="webpush", quiet=QUIET[3], around=datetime(2026, 4, 5, tzinfo=UTC), offset=-700
)
@example(place=(("Pacific/Apia",), "WS", ""), channel="call", quiet=(), around=datetime(2011, 12, 30, tzinfo=UTC), offset=-600)
def test_spans_agree_minute_by_minute_with_the_rule_in_words(
    place: tuple[tuple[str, ...], str, str], channel: str, quiet: tuple[tuple[str, str], ...], around: datetime, offset: int
) -> None:
    hours = Hours(*place, channel, quiet)
    start = around + offset * MINUTE
    spans = permitted_spans(hours, start, start + 2 * DAY)
    for n in range(2 * 24 * 60):
        instant = start + n * MINUTE
        inside = any(span.start <= instant < span.end for span in spans)
        assert inside == slow(hours, instant), (instant, spans)
    assert all(a.end < b.start for a, b in pairwise(spans))


@settings(max_examples=40, deadline=None)
@given(place=st.sampled_from(PLACES), around=st.sampled_from(CHANGES), seconds=st.integers(0, 3 * 86_400), others=st.sampled_from(OTHERS))
def test_the_next_allowed_instant_is_the_first_minute_that_the_slow_checker_allows(
    place: tuple[tuple[str, ...], str, str], around: datetime, seconds: int, others: tuple[str, ...]
) -> None:
    hours = Hours(*place, "call", DINNER, others)
    now = around + timedelta(seconds=seconds)
    found = next_allowed(hours, now)
    walk = (instant for instant in (now + n * MINUTE for n in range(9 * 24 * 60)) if slow(hours, instant))
    first = next(walk, None)
    if found is None or first is None:
        assert found == first
    else:
        assert slow(hours, found)
        assert first - MINUTE < found <= first


def test_no_call_comes_at_dinner_time_nor_on_a_sunday_nor_on_christmas_in_germany() -> None:
    hours = Hours(("Europe/Berlin",), "DE", "", "call", DINNER)
    dinner = datetime(2026, 6, 15, 16, 30, tzinfo=UTC)
    assert next_allowed(hours, dinner) == datetime(2026, 6, 16, 6, tzinfo=UTC)
    assert next_allowed(hours, datetime(2026, 6, 20, 17, tzinfo=UTC)) == datetime(2026, 6, 22, 6, tzinfo=UTC)
    assert next_allowed(hours, datetime(2026, 12, 24, 16, 59, 59, tzinfo=UTC)) == datetime(2026, 12, 24, 16, 59, 59, tzinfo=UTC)
    assert next_allowed(hours, datetime(2026, 12, 24, 17, tzinfo=UTC)) == datetime(2026, 12, 28, 7, tzinfo=UTC)


@pytest.mark.parametrize(("region", "is_holiday"), [("BY", True), ("DE-BY", True), ("HH", False), ("", False)])
def test_a_holiday_of_a_subdivision_holds_there_and_nowhere_else(region: str, is_holiday: bool) -> None:
    corpus_christi = datetime(2026, 6, 4, 10, tzinfo=UTC)
    found = next_allowed(Hours(("Europe/Berlin",), "DE", region, "call"), corpus_christi)
    assert found == (datetime(2026, 6, 5, 6, tzinfo=UTC) if is_holiday else corpus_christi)


@pytest.mark.parametrize("country", ["MAR", "MAY", "PUBLIC", "SAT", "date", "XX", "registry", "../x"])
def test_a_country_that_there_is_not_has_no_holidays_and_crashes_nothing(country: str) -> None:
    now = datetime(2026, 6, 16, 10, tzinfo=UTC)
    assert next_allowed(Hours(("Europe/Berlin",), country, "BY", "call"), now) == now


def test_hours_hold_in_every_candidate_zone() -> None:
    hours = Hours(("America/New_York", "America/Los_Angeles"), "US", "NY", "sms")
    (span,) = permitted_spans(hours, datetime(2026, 6, 16, 8, tzinfo=UTC), datetime(2026, 6, 17, 8, tzinfo=UTC))
    assert (span.start, span.end) == (datetime(2026, 6, 16, 15, tzinfo=UTC), datetime(2026, 6, 17, 1, tzinfo=UTC))


def test_the_stricter_state_rule_narrows_the_federal_one_and_an_unknown_state_gets_them_all() -> None:
    evening = datetime(2026, 6, 16, 20, 30, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    zone = ("America/New_York",)
    assert next_allowed(Hours(zone, "US", "NY", "call"), evening) == evening
    assert next_allowed(Hours(zone, "US", "FL", "call"), evening) != evening
    opens = next_allowed(Hours(zone, "US", "", "call"), evening)
    assert opens == datetime(2026, 6, 17, 10, tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize("zones", [(), ("Mars/Olympus",), ("Europe/Berlin", "Mars/Olympus")])
def test_where_the_zone_is_unknown_nobody_is_called_but_mail_may_go(zones: tuple[str, ...]) -> None:
    now = datetime(2026, 6, 16, 10, tzinfo=UTC)
    assert next_allowed(Hours(zones, "DE", "", "call"), now) is None
    assert permitted_spans(Hours(zones, "DE", "", "sms"), now, now + DAY) == ()
    assert next_allowed(Hours(zones, "DE", "", "email"), now) == now


def test_mail_has_no_hours_and_spans_are_bounded() -> None:
    now = datetime(2026, 6, 16, 3, tzinfo=UTC)
    (whole,) = permitted_spans(Hours(("Europe/Berlin",), "DE", "", "email"), now, now + 400 * DAY)
    assert (whole.start, whole.end) == (now, now + 400 * DAY)
    many = permitted_spans(Hours(("Europe/Berlin",), "FR", "", "call", DINNER), now, now + 400 * DAY)
    assert 0 < len(many) <= SPANS_MAX
    assert many[-1].end <= now + (DAYS_MAX + 1) * DAY
    assert permitted_spans(Hours((), "", "", "email"), now, now) == ()


def test_every_rule_is_readable_and_says_where_it_comes_from() -> None:
    for rule in RULES:
        assert rule.note
        for day in range(7):
            assert all(0 <= start < end <= 86_400 for start, end in rule.on(day))


@pytest.mark.parametrize(
    ("told", "number", "channel", "others"),
    [
        ("", "+33612345678", "call", ("FR",)),
        ("FR", "+33612345678", "call", ()),
        ("GB", "+33612345678", "sms", ("FR",)),
        ("US", "+4915112345678", "sms", ("DE",)),
        ("", "+819012345678", "call", ()),
        ("", "+33612345678", "email", ()),
        ("", "", "call", ()),
        ("", "no number", "call", ()),
    ],
)
def test_a_number_brings_the_hours_of_its_country_where_another_or_none_was_told(
    told: str, number: str, channel: str, others: tuple[str, ...]
) -> None:
    assert other_countries(told, number, channel) == others


def test_the_hours_of_a_numbers_country_never_widen_those_of_the_place() -> None:
    monday = datetime(2026, 3, 2, 13, 30, tzinfo=UTC)
    assert next_allowed(Hours(("Europe/London",), "GB", "", "call"), monday) == monday
    assert next_allowed(Hours(("Europe/London",), "GB", "", "call", (), ("FR",)), monday) == monday + timedelta(minutes=30)
    evening = monday.replace(hour=20, minute=30)
    assert next_allowed(Hours(("Europe/Paris",), "FR", "", "call", (), ("GB",)), evening) != evening

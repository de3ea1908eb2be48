"""The time correction and its laws."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_ingest.occurrence import Occurrence, UnreadableTimeError, given_instant, instant, occurrence

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MOMENTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001  (made aware)
SHORT = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=20))


@given(claimed=st.none() | MOMENTS, sent_at=st.none() | MOMENTS, received_at=MOMENTS)
def test_nothing_happens_after_it_was_received(claimed: datetime | None, sent_at: datetime | None, received_at: datetime) -> None:
    assert occurrence(claimed, sent_at, received_at).at <= received_at


@given(before=SHORT, wrong=st.timedeltas(min_value=timedelta(hours=-23), max_value=timedelta(hours=23)))
def test_a_wrong_client_clock_is_set_right_by_the_time_of_sending(before: timedelta, wrong: timedelta) -> None:
    sent_at = NOW + wrong
    assert occurrence(sent_at - before, sent_at, NOW) == Occurrence(NOW - before, suspect=False, distance=-wrong)


@given(wrong=st.timedeltas(min_value=timedelta(hours=24, seconds=1), max_value=timedelta(days=3000)), sign=st.sampled_from([1, -1]))
def test_a_clock_wrong_by_more_than_a_day_is_suspect(wrong: timedelta, sign: int) -> None:
    sent_at = NOW + sign * wrong
    assert occurrence(sent_at, sent_at, NOW) == Occurrence(NOW, suspect=True, distance=-sign * wrong)


@pytest.mark.parametrize(
    ("claimed", "suspect"),
    [
        (NOW - timedelta(days=30), False),
        (NOW - timedelta(days=30, seconds=1), True),
        (NOW + timedelta(hours=24), False),
        (NOW + timedelta(hours=24, seconds=1), True),
    ],
)
def test_without_a_time_of_sending_thirty_days_old_and_a_day_ahead_are_the_limits(claimed: datetime, suspect: bool) -> None:
    assert occurrence(claimed, None, NOW) == Occurrence(min(claimed, NOW), suspect, claimed=claimed <= NOW, distance=NOW - claimed)


def test_a_stamp_may_be_absent_or_empty() -> None:
    assert given_instant(None) is None
    assert given_instant("") is None


@pytest.mark.parametrize("stamp", ["yesterday", "22.11.2026", "2026-13-01T00:00:00Z", " "])
def test_a_text_that_is_no_time_is_told_how_a_time_is_written(stamp: str) -> None:
    with pytest.raises(UnreadableTimeError, match="RFC 3339, for example 2026"):
        given_instant(stamp)


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-22T09:30:00Z",
        "2026-11-22t09:30:00z",
        "2026-11-22T09:30:00.000Z",
        "2026-11-22T09:30:00.000000000Z",
        "2026-11-22T09:30:00.000000+00:00",
        "2026-11-22T09:30:00.000+0000",
        "2026-11-22T10:30:00+01:00",
        "2026-11-22T09:30:00",
        "2026-11-22 09:30:00.000",
        1795339800,
        1795339800000,
    ],
)
def test_times_are_read_as_clients_write_them(stamp: str | int) -> None:
    assert instant(stamp) == NOW


@given(st.text() | st.floats(allow_nan=True) | st.integers())
def test_reading_a_time_gives_an_instant_or_says_that_it_cannot(stamp: str | float) -> None:
    with suppress(UnreadableTimeError):
        assert instant(stamp).tzinfo is UTC

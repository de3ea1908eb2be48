"""The times that mappings read: as systems write them, by the clock of a zone where they name none."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_ingest.mappings.moments import moment
from nextwave_ingest.mappings.values import Reader
from nextwave_ingest.occurrence import UnreadableTimeError


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-22T09:00:00Z",
        "2026-11-22T10:00:00+01:00",
        "Sun, 22 Nov 2026 09:00:00 +0000",
        1795338000,
        1795338000000,
        "1795338000",
        "1795338000.0",
    ],
)
def test_a_time_is_read_as_systems_write_it(written: Any) -> None:
    assert moment(written).timestamp() == 1795338000


@pytest.mark.parametrize("written", ["soon", "", True, None, [], "99999999999999999999", float("nan"), "Sun, 99 Nov 2026 09:00:00"])
def test_a_time_that_is_none_is_not_guessed(written: Any) -> None:
    with pytest.raises(UnreadableTimeError):
        moment(written)


@pytest.mark.parametrize("written", ["\u00b2", "\u0661\u0662", "1\u00b2", "\u2460", "-\u00b2.5"])
def test_digits_of_other_scripts_are_no_time(written: str) -> None:
    with pytest.raises(UnreadableTimeError):
        moment(written)


@given(st.text(st.characters(categories=["Nd", "No", "Nl"]) | st.sampled_from("-. "), max_size=12))
def test_whatever_digits_come_they_are_a_time_or_unreadable(written: str) -> None:
    with suppress(UnreadableTimeError):
        assert moment(written).tzinfo is not None


@pytest.mark.parametrize("zone", ["Berlin", "Europe", "../Europe/Berlin", "$.zone", "", 7, None, ["UTC"]])
def test_a_zone_that_there_is_not_is_refused_with_the_fix(zone: Any) -> None:
    reader = Reader({})
    reader.value({"local_time": "$.local", "zone": zone}, "/data/x")
    assert [(fault.pointer, "Europe/Berlin" in fault.fix) for fault in reader.faults] == [("/data/x/zone", True)]

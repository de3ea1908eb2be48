"""A local time names one instant, also on the days on which clocks change, in every zone that has such days."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from nextwave_orchestrator.triggers.local_time import instant_of, zone_of
from unit.orchestrator.triggers.clock_watcher import DAY, QUARTER, changing_zones, watched

ZONES = changing_zones()


@pytest.mark.parametrize(("name", "days"), ZONES, ids=[name for name, _ in ZONES])
def test_around_every_change_of_ten_years_each_quarter_hour_is_the_instant_at_which_a_watched_clock_first_shows_it(
    name: str, days: tuple[datetime, ...]
) -> None:
    zone = ZoneInfo(name)
    for day in days:
        instants: dict[datetime, datetime] = {}
        skipped: dict[datetime, datetime] = {}
        shown_last: datetime | None = None
        for instant, shows in watched(zone, day - DAY, day + 2 * DAY):
            instants.setdefault(shows, instant)
            if shown_last is not None and shows - shown_last > QUARTER:
                missing = [shown_last + n * QUARTER for n in range(1, (shows - shown_last) // QUARTER)]
                skipped |= {local: instant + (local - shown_last) - QUARTER for local in missing}
            shown_last = shows
        for local, instant in (instants | skipped).items():
            assert instant_of(local, zone) == instant, f"{local} in {name}"


def test_there_are_zones_of_every_kind_of_change() -> None:
    names = {name for name, _ in ZONES}
    assert len(names) > 30
    assert any(len(days) >= 20 for _, days in ZONES)


def test_the_first_candidate_zone_that_exists_counts_and_without_one_it_is_utc() -> None:
    assert zone_of(("Nowhere/Land", "Asia/Tokyo", "Europe/Berlin")).key == "Asia/Tokyo"
    assert zone_of(()).key == "UTC"
    assert zone_of(("../etc/passwd", "")).key == "UTC"

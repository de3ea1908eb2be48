"""The data come out of the installed packages whole; a pickled table is read without running anything of it."""

from __future__ import annotations

import pickle

import pytest
from nextwave_local.demo import datasets
from nextwave_local.demo.frames import FrameError, columns
from nextwave_local.demo.shop import PAGES, TRACKS


def test_the_clickstream_has_all_its_events_in_event_time_order() -> None:
    rows = datasets.clickstream()
    assert len(rows) == 31_106
    assert len({row.user for row in rows}) == 600
    assert sum(row.event == "purchase" for row in rows) == 470
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert {row.event for row in rows} == PAGES.keys() | TRACKS.keys()


def test_the_call_curve_is_the_mean_day_of_the_call_centre() -> None:
    curve = datasets.call_curve()
    assert (curve[0].minute, curve[-1].minute, len(curve)) == (7 * 60, 21 * 60, 169)
    assert sum(slot.calls for slot in curve) * 164 == pytest.approx(5_323_661, rel=1e-6)


def test_a_missing_package_says_what_installs_it() -> None:
    with pytest.raises(datasets.MissingDataError, match="make demo"):
        datasets._file("nextwave_contracts", "no-such-file")


def test_a_pickle_that_is_no_table_is_refused_and_nothing_of_it_is_run() -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return eval, ("ran.append(1)",)

    with pytest.raises(FrameError):
        columns(pickle.dumps(Trap()))
    with pytest.raises(FrameError):
        columns(b"")

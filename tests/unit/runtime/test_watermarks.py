"""Watermarks: the least of all origins, each counting only once the reader's mark has come as far as the watermark says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from nextwave_contracts.customers import Watermark
from nextwave_contracts.places import Origin, Place
from nextwave_runtime.watermarks import Said, WatermarkTracker, read

ONE, TWO = Origin("scoring.touchpoints", 0), Origin("scoring.touchpoints", 1)
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def message(origin: Origin, seconds: int, last: str | None = None) -> Watermark:
    return Watermark(processor=origin.processor, partition=origin.partition, until=T0 + timedelta(seconds=seconds), last_place=last)


def said(origin: Origin, seconds: int, last: str | None = None) -> Said:
    return read(message(origin, seconds, last), T0 + timedelta(days=1))


def test_nothing_is_known_while_one_origin_is_silent() -> None:
    tracker = WatermarkTracker([ONE, TWO])
    tracker.heard(said(ONE, 10))
    assert tracker.low({}) is None


def test_the_slowest_origin_decides() -> None:
    tracker = WatermarkTracker([ONE, TWO])
    tracker.heard(said(ONE, 10))
    tracker.heard(said(TWO, 4))
    assert tracker.low({}) == T0 + timedelta(seconds=4)


def test_a_watermark_counts_only_once_the_mark_has_reached_its_place() -> None:
    tracker = WatermarkTracker([ONE])
    tracker.heard(said(ONE, 3))
    tracker.heard(said(ONE, 9, "7/1"))
    assert tracker.low({ONE: Place(7, 0)}) == T0 + timedelta(seconds=3)
    assert tracker.low({ONE: Place(7, 1)}) == T0 + timedelta(seconds=9)


def test_a_watermark_never_goes_back() -> None:
    tracker = WatermarkTracker([ONE])
    tracker.heard(said(ONE, 9))
    tracker.settle({})
    tracker.heard(said(ONE, 3))
    tracker.settle({})
    assert tracker.low({}) == T0 + timedelta(seconds=9)


def test_an_origin_that_nobody_expects_is_ignored() -> None:
    tracker = WatermarkTracker([ONE])
    tracker.heard(said(Origin("stranger", 0), 1))
    assert tracker.low({}) is None


def test_marks_that_were_rolled_back_leave_no_trace() -> None:
    tracker = WatermarkTracker([ONE])
    tracker.heard(said(ONE, 3))
    tracker.heard(said(ONE, 9, "7/1"))
    assert tracker.low({ONE: Place(7, 1)}) == T0 + timedelta(seconds=9)
    assert tracker.low({ONE: Place(6, 0)}) == T0 + timedelta(seconds=3)
    tracker.settle({ONE: Place(7, 1)})
    assert tracker.low({}) == T0 + timedelta(seconds=9)


def test_nobody_can_have_taken_in_the_future() -> None:
    assert read(message(ONE, 60), T0 + timedelta(seconds=5)).until == T0 + timedelta(seconds=5)


@pytest.mark.parametrize("wrong", ["x", "1", "1/-1", "-2/0", "99999999999999999999/0", "1/99999999999"])
def test_a_watermark_with_a_place_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(message(ONE, 1, wrong), T0)

"""Watermarks: the least of all origins, each counting only once the reader's mark has come as far as the watermark says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nextwave_contracts.customers import Watermark
from nextwave_contracts.places import Origin, Place
from nextwave_runtime.watermarks import WatermarkTracker

ONE, TWO = Origin("scoring.touchpoints", 0), Origin("scoring.touchpoints", 1)
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def said(origin: Origin, seconds: int, last: str | None = None) -> Watermark:
    return Watermark(processor=origin.processor, partition=origin.partition, until=T0 + timedelta(seconds=seconds), last_place=last)


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
    tracker.low({})
    tracker.heard(said(ONE, 3))
    assert tracker.low({}) == T0 + timedelta(seconds=9)


def test_an_origin_that_nobody_expects_is_ignored() -> None:
    tracker = WatermarkTracker([ONE])
    tracker.heard(said(Origin("stranger", 0), 1))
    assert tracker.low({}) is None

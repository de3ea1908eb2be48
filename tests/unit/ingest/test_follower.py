"""A follower does without a consumer that hears nothing, and keeps one that has nothing to hear."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from nextwave_contracts.sources import SourceTally
from nextwave_contracts.topics import MAPPINGS, SOURCES
from nextwave_contracts.wire import encode
from nextwave_ingest import follower
from nextwave_ingest.follower import Follower
from nextwave_ingest.sources.telling import Telling
from prometheus_client import REGISTRY
from unit.ingest.fakes import NOW, MemoryCommitter

PLACE = TopicPartition(MAPPINGS.name, 0)


class Silent:
    """A consumer that returns no records; there are `end` of them. It breaks when it is asked often."""

    _fetcher = None

    def __init__(self, end: int) -> None:
        self._end = end
        self.asked = 0

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self._end)

    async def position(self, _place: TopicPartition) -> int:
        return 0

    async def getmany(self, *, timeout_ms: int) -> dict[Any, Any]:  # noqa: ARG002  (the client's name)
        self.asked += 1
        if self.asked > 3:
            raise KafkaError("enough")
        return {}


def following() -> Follower:
    return Follower("nowhere:9092", MAPPINGS, lambda _value: None)


async def test_a_consumer_that_hears_nothing_of_what_is_there_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "DEAF_SECONDS", -1.0)
    one, deaf = following(), Silent(end=5)
    await one._follow(deaf)
    assert (one.fault, deaf.asked) == ("waiting for nextwave.mappings.v1", 0)


async def test_a_consumer_with_nothing_to_hear_is_kept_and_its_reader_knows_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "DEAF_SECONDS", -1.0)
    one, quiet = following(), Silent(end=0)
    with pytest.raises(KafkaError):
        await one._follow(quiet)
    assert (one.fault, quiet.asked) == ("", 4)


async def test_a_consumer_is_given_its_time_before_it_counts_as_deaf() -> None:
    one, slow = following(), Silent(end=5)
    with pytest.raises(KafkaError):
        await one._follow(slow)
    assert one.fault


class Full(Silent):
    """A consumer that has these values."""

    def __init__(self, *values: bytes) -> None:
        super().__init__(end=0)
        self._values = values

    async def getmany(self, *, timeout_ms: int) -> dict[Any, Any]:
        await super().getmany(timeout_ms=timeout_ms)
        values, self._values = self._values, ()
        return {PLACE: [SimpleNamespace(value=value, partition=0, offset=n) for n, value in enumerate(values)]}


async def test_what_strangers_write_is_counted_and_passed_over() -> None:
    told = encode(SourceTally(replica="a", source="shop", since=NOW, at=NOW, turned_away=3))
    without_zone = told.replace(b"Z", b"")
    telling = Telling(MemoryCommitter(), "b", lambda: NOW)
    passed_over = ("nextwave_ingest_records_passed_over_total", {"topic": SOURCES.name})
    before = REGISTRY.get_sample_value(*passed_over) or 0
    values = (without_zone, told, without_zone, b"\xff no record", b"[" * 60_000, b"")
    with pytest.raises(KafkaError):
        await Follower("nowhere:9092", SOURCES, telling.take)._follow(Full(*values))
    assert telling.board.sums(NOW)["shop"].turned_away == 3
    assert (REGISTRY.get_sample_value(*passed_over) or 0) - before == 5


async def test_a_record_that_breaks_its_reader_keeps_nobody_from_the_next() -> None:
    heard = []

    def take(value: bytes) -> None:
        heard.append(value)
        raise TypeError("can't compare offset-naive and offset-aware datetimes")

    with pytest.raises(KafkaError):
        await Follower("nowhere:9092", SOURCES, take)._follow(Full(b"1", b"2"))
    assert heard == [b"1", b"2"]

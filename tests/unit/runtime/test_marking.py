"""How far a processor says that it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from aiokafka import TopicPartition
from nextwave_contracts.customers import Watermark
from nextwave_contracts.topics import CUSTOMERS, TOUCHPOINTS
from nextwave_contracts.wire import decode
from nextwave_runtime.marking import Marker
from nextwave_runtime.watermarks import WatermarkTracker

ELSEWHEN = datetime(2031, 5, 5, 12, tzinfo=UTC)
TP = TopicPartition(TOUCHPOINTS.name, 0)


@dataclass
class Elsewhen:
    """A clock that is years from this machine's, and goes on by a minute whenever Kafka is asked."""

    seconds: float = ELSEWHEN.timestamp()
    sure: bool = True

    def now(self) -> datetime:
        return self.at(self.seconds)

    def at(self, wall_seconds: float) -> datetime:
        return datetime.fromtimestamp(wall_seconds, UTC)

    def wall(self) -> float:
        return self.seconds

    def today(self) -> date:
        return self.now().date()


@dataclass
class Ends:
    """A consumer that knows one end."""

    clock: Elsewhen
    end: int = 5

    async def end_offsets(self, _asked: list[TopicPartition]) -> dict[TopicPartition, int]:
        self.clock.seconds += 60
        return {TP: self.end}

    async def commit(self, _offsets: dict[TopicPartition, int]) -> None:
        pass


@dataclass
class Closed:
    """A consumer whose connection was closed a moment ago: so says uvloop, and aiokafka passes it on."""

    async def end_offsets(self, _asked: list[TopicPartition]) -> dict[TopicPartition, int]:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True reading=False 0x0>; the handler is closed")


@dataclass
class Kept:
    """A publisher that keeps what it was given."""

    records: list[Any] = field(default_factory=list)

    async def publish(self, records: list[Any]) -> None:
        self.records.extend(records)


async def said(*, position: int, taken_until: float) -> list[datetime]:
    clock, publisher = Elsewhen(), Kept()
    settings: Any = SimpleNamespace(clock_skew_seconds=0.1)
    worker: Any = SimpleNamespace(
        topic=TOUCHPOINTS, partition=0, position=position, taken_until=taken_until, idle=True, tracker=WatermarkTracker(()), progress=None
    )
    marker = Marker("scoring", Ends(clock), publisher, clock, settings, CUSTOMERS, 1)  # type: ignore[arg-type]
    await marker.mark({TP: worker})
    return [decode(record.value, Watermark).until for record in publisher.records]


async def test_a_partition_read_to_its_end_says_the_services_clock_as_it_was_before_the_end_was_asked_for() -> None:
    assert await said(position=5, taken_until=7.0) == [ELSEWHEN - timedelta(seconds=0.101)]


async def test_a_partition_that_lags_says_the_brokers_stamp_of_what_it_last_took_in() -> None:
    assert await said(position=4, taken_until=7.0) == [datetime.fromtimestamp(7.0 - 0.101, UTC)]
    assert await said(position=4, taken_until=0.0) == []


async def test_a_connection_that_is_closed_already_only_delays_what_a_processor_says() -> None:
    settings: Any = SimpleNamespace(clock_skew_seconds=0.1)
    marker = Marker("scoring", Closed(), Kept(), Elsewhen(), settings, CUSTOMERS, 1)  # type: ignore[arg-type]
    assert await marker.mark({TP: cast("Any", SimpleNamespace())}) is False

"""About once a second: measures lag, tells Kafka's lag monitors the offsets, and says how far everything has been taken in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import TopicPartition
from nextwave_contracts.customers import Watermark
from nextwave_contracts.topics import Topic
from nextwave_contracts.wire import encode

from nextwave_runtime import metrics
from nextwave_runtime.broker_away import BROKER_AWAY
from nextwave_runtime.cancelling import is_meant
from nextwave_runtime.clock import WallClock
from nextwave_runtime.outbox import Record
from nextwave_runtime.partition_worker import PartitionWorker
from nextwave_runtime.publisher import Publisher
from nextwave_runtime.settings import ProcessorSettings

STUCK_SECONDS = 60.0
"""With unread messages and no movement for so long, the consumer hangs: `/livez` fails and the service is replaced."""

Workers = Mapping[TopicPartition, PartitionWorker]
_log = structlog.get_logger()


@dataclass(slots=True)
class Marker:
    """Looks at the workers of one processor from outside. `target` is where watermarks go, if anywhere."""

    name: str
    consumer: Any
    publisher: Publisher
    clock: WallClock
    settings: ProcessorSettings
    target: Topic | None
    partitions: int
    _moved: dict[TopicPartition, tuple[int, float]] = field(default_factory=dict)

    @property
    def stuck(self) -> bool:
        """Whether a partition has unread messages and has not moved for `STUCK_SECONDS`."""
        now = time.monotonic()
        return any(now - since > STUCK_SECONDS for _, since in self._moved.values())

    async def mark(self, workers: Workers) -> bool:
        """One round; whether Kafka answered. An idle partition read to its end follows the clock as it was before that was asked."""
        asked_at = self.clock.wall()
        try:
            ends = await self.consumer.end_offsets(list(workers))
            self._watch(workers, ends)
            await self._say(workers, ends, asked_at)
            await self.consumer.commit({tp: worker.position for tp, worker in workers.items()})
        except (*BROKER_AWAY, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and is_meant():
                raise
            _log.info("mark_later", error=repr(error)[:300])
            return False
        return True

    def _watch(self, workers: Workers, ends: Mapping[TopicPartition, int]) -> None:
        now = time.monotonic()
        moved: dict[TopicPartition, tuple[int, float]] = {}
        for tp, worker in workers.items():
            lag = max(0, ends[tp] - worker.position)
            metrics.LAG.labels(self.name, str(tp.partition)).set(lag)
            low = worker.tracker.low(worker.progress.marks) if worker.progress else None
            if low is not None:
                metrics.WATERMARK_AGE.labels(self.name, str(tp.partition)).set((self.clock.now() - low).total_seconds())
            before, since = self._moved.get(tp, (worker.position, now))
            moved[tp] = (worker.position, now if lag == 0 or before != worker.position or not worker.idle else since)
        self._moved = moved

    async def _say(self, workers: Workers, ends: Mapping[TopicPartition, int], asked_at: float) -> None:
        marks: list[Record] = []
        for tp, worker in workers.items():
            read_all = worker.position >= ends[tp]
            if self.target is not None and (read_all or worker.taken_until):
                until = asked_at if read_all else worker.taken_until
                marks.extend(self._watermark(self.target, worker, partition, until) for partition in range(self.partitions))
        if marks:
            await self.publisher.publish(marks)

    def _watermark(self, target: Topic, worker: PartitionWorker, partition: int, wall_seconds: float) -> Record:
        last = worker.progress.last_places.get((target.name, partition)) if worker.progress else None
        message = Watermark(
            processor=f"{self.name}.{worker.topic.short}",
            partition=worker.partition,
            until=self.clock.at(wall_seconds - self.settings.clock_skew_seconds - 0.001),
            last_place=str(last) if last else None,
        )
        return Record(target.name, partition, target.key(message).encode(), encode(message), [])

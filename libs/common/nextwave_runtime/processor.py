"""The only consuming loop of the system: one consumer, a worker for each assigned partition, watermarks, timers, lag."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from nextwave_contracts.places import Origin
from nextwave_contracts.topics import Topic

from nextwave_runtime import metrics, timers
from nextwave_runtime.application import Application
from nextwave_runtime.broker_away import BROKER_AWAY
from nextwave_runtime.cancelling import is_meant
from nextwave_runtime.clock import WallClock
from nextwave_runtime.database import UNAVAILABLE, Database
from nextwave_runtime.marking import Marker
from nextwave_runtime.membership import consumer_of, fetches, let_go, partition_count
from nextwave_runtime.partition_worker import PartitionWorker, Surroundings
from nextwave_runtime.publisher import Publisher
from nextwave_runtime.schema import keep_days
from nextwave_runtime.settings import ProcessorSettings

POLL_SECONDS = 0.2
TIMER_SECONDS, TIMER_SECONDS_MAX = 0.03, 0.1
"""Between two looks for timers: where one may be due soon, and where none is known to be. Others may set one that is due at once."""
MAINTAIN_SECONDS = 600.0
DEAF_SECONDS = 15.0
"""So long without an answer about its logs, while others get one, and a consumer is replaced."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermarks:
    """Where this processor says how far it is, and whose word its own timers wait for (`scoring.touchpoints`, ...)."""

    sends_to: Topic | None = None
    awaits: tuple[str, ...] = ()


class Processor:
    """Runs an application over its input topics until stopped. See `docs/decisions/0002-effectively-once.md`."""

    def __init__(
        self,
        application: Application[Any],
        *,
        database: Database,
        settings: ProcessorSettings,
        clock: WallClock,
        watermarks: Watermarks | None = None,
    ) -> None:
        self._application = application
        self._database = database
        self._settings = settings
        self._clock = clock
        self._watermarks = watermarks or Watermarks()
        self._publisher = Publisher(settings.kafka, application.name)
        self._workers: dict[TopicPartition, PartitionWorker] = {}
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._consumer: Any = None
        self._listener = _Listener(self)
        self._surroundings: Surroundings | None = None
        self._stopping = asyncio.Event()
        self._failed: BaseException | None = None
        self._marker: Marker | None = None
        self._heard = time.monotonic()
        """When Kafka last told our consumer how far its logs go."""
        self._broken = False  # whether our consumer will never work again
        self.ready = False

    @property
    def name(self) -> str:
        """The application's name."""
        return self._application.name

    @property
    def stuck(self) -> bool:
        """Whether a partition has unread messages and does not move."""
        return self._marker is not None and self._marker.stuck

    async def run(self) -> None:
        """Consumes until `stop`. Raises what made going on senseless (`TooManyRejectedError`)."""
        while not self._stopping.is_set() and self._failed is None:
            await self._consume()
        await self._publisher.close()
        if self._failed is not None:
            raise self._failed

    async def _consume(self) -> None:
        """With one consumer, until told to stop, or until it is deaf and another one must take its place."""
        await self._start()
        helpers = [asyncio.create_task(self._guard(job)) for job in (self._timers(), self._mark(), self._maintain())]
        try:
            while not self._stopping.is_set() and self._failed is None and not self._broken and not await self._deaf():
                await self._poll()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._listener.is_let_go = True
            await self.release(list(self._workers))
            await let_go(self._consumer)

    async def _deaf(self) -> bool:
        """Whether our consumer fetches no more, or hangs: Kafka has long not told it where its logs end, but tells others at once."""
        if not fetches(self._consumer):
            self._replaces("it fetches no more")
            return True
        if not self._workers or time.monotonic() - self._heard < DEAF_SECONDS:
            return False
        self._heard = time.monotonic()
        try:
            async with asyncio.timeout(DEAF_SECONDS / 3):
                answers = await partition_count(self._settings.kafka, self._application.inputs[0].name) > 0
        except BROKER_AWAY:
            return False
        if answers:
            self._replaces("it hears nothing")
        return answers

    def _replaces(self, why: str) -> None:
        metrics.CONSUMER_REBUILDS.labels(self.name).inc()
        _log.error("consumer_replaced", processor=self.name, why=why)

    def stop(self) -> None:
        """Begin to drain: batches begun are finished and published, then `run` returns."""
        self.ready = False
        self._stopping.set()

    async def _start(self) -> None:
        topics = [t.name for t in self._application.inputs]
        self._consumer, self._broken = consumer_of(self.name, self._settings), False
        while not self._stopping.is_set():
            try:
                await self._consumer.start()
                break
            except BROKER_AWAY as error:
                _log.warning("kafka_away", error=repr(error))
                await asyncio.sleep(1)
        partitions = await self._partition_count(topics[0])
        origins = tuple(Origin(name, n) for name in self._watermarks.awaits for n in range(partitions))
        self._surroundings = Surroundings(
            application=self._application,
            database=self._database,
            publisher=self._publisher,
            clock=self._clock,
            partitions=partitions,
            batch_max=self._settings.batch_max,
            hold_seconds=self._settings.hold_seconds,
            expected_origins=origins,
            rewind=self._rewind,
            extent=self._extent,
        )
        self._marker = Marker(
            self.name, self._consumer, self._publisher, self._clock, self._settings, self._watermarks.sends_to, partitions
        )
        self._heard = time.monotonic()
        self._listener = _Listener(self)
        self._consumer.subscribe(topics, listener=self._listener)
        self.ready = True

    async def _partition_count(self, topic: str) -> int:
        while not self._stopping.is_set():
            try:
                if found := await partition_count(self._settings.kafka, topic):
                    return found
                _log.warning("topic_missing", topic=topic, do="nextwave topics apply")
            except BROKER_AWAY as error:
                _log.warning("kafka_away", error=repr(error))
            await asyncio.sleep(1)
        return 1

    async def _poll(self) -> None:
        assigned = self._consumer.assignment()
        for tp, worker in self._workers.items():
            if tp not in assigned:
                continue
            if worker.full:
                self._consumer.pause(tp)
            elif worker.progress is not None and tp in self._consumer.paused():
                self._consumer.resume(tp)
        try:
            batches = await self._consumer.getmany(timeout_ms=int(POLL_SECONDS * 1000), max_records=4 * self._settings.batch_max)
        except (*BROKER_AWAY, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and is_meant():
                raise
            _log.warning("consume_failed", error=repr(error))
            self._broken = type(error) is KafkaError  # its coordination ended for good: aiokafka gives it no other name, and never mends it
            if self._broken:
                self._replaces(str(error))
            await asyncio.sleep(0.5)
            return
        for tp, records in batches.items():
            if tp in self._workers:
                self._workers[tp].feed(records)

    def take(self, assigned: Iterable[TopicPartition]) -> None:
        """Starts a worker for each newly assigned partition; its consumer is paused until the worker knows where to begin."""
        assert self._surroundings is not None
        topics = {t.name: t for t in self._application.inputs}
        for tp in assigned:
            self._consumer.pause(tp)
            worker = PartitionWorker(self._surroundings, topics[tp.topic], tp.partition)
            self._workers[tp] = worker
            self._tasks[tp] = asyncio.create_task(self._guard(worker.run()), name=f"{tp.topic}/{tp.partition}")

    async def release(self, revoked: Iterable[TopicPartition]) -> None:
        """Lets partitions go: what was begun is finished and published, within the drain time."""
        leaving = [(self._workers.pop(tp), self._tasks.pop(tp)) for tp in revoked if tp in self._workers]
        for worker, _ in leaving:
            worker.stop()
        if leaving:
            _, late = await asyncio.wait([task for _, task in leaving], timeout=self._settings.drain_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  (kept, and raised by `run`)
            _log.exception("processor_stops", processor=self.name)
            self._failed = error

    def _rewind(self, topic: str, partition: int, offset: int) -> None:
        tp = TopicPartition(topic, partition)
        if tp in self._consumer.assignment():
            self._consumer.seek(tp, offset)
            self._consumer.resume(tp)

    async def _extent(self, topic: str, partition: int) -> tuple[int, int]:
        tp = TopicPartition(topic, partition)
        try:
            extent = int((await self._consumer.beginning_offsets([tp]))[tp]), int((await self._consumer.end_offsets([tp]))[tp])
        except (*BROKER_AWAY, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and is_meant():
                raise
            raise OSError(f"Kafka does not tell what {topic}/{partition} holds: {error!r}") from error
        self._heard = time.monotonic()
        return extent

    async def _timers(self) -> None:
        while True:
            firing = {w.partition: w for w in self._workers.values() if w.fires_timers and w.progress is not None}
            try:
                if firing:
                    await self._remind(firing)
            except UNAVAILABLE as error:
                _log.warning("timers_wait", error=repr(error)[:300])
                await asyncio.sleep(1)
            soon = self._clock.at(self._clock.wall() + TIMER_SECONDS_MAX)
            expected = any(worker.expects_timers(soon) for worker in firing.values())
            await asyncio.sleep(TIMER_SECONDS if expected else TIMER_SECONDS_MAX)

    async def _remind(self, firing: dict[int, PartitionWorker]) -> None:
        handed_over = frozenset() if self._clock.sure else self._application.hands_over
        async with self._database.connection() as connection:
            due = await timers.next_due(connection, list(firing), handed_over)
        for partition, worker in firing.items():
            worker.remind({wait: at for (p, wait), at in due.items() if p == partition})

    async def _mark(self) -> None:
        while True:
            await asyncio.sleep(self._settings.watermark_interval_seconds)
            workers = {tp: w for tp, w in self._workers.items() if w.progress is not None}
            if workers and self._marker is not None and await self._marker.mark(workers):
                self._heard = time.monotonic()

    async def _maintain(self) -> None:
        """Keeps the day partitions of `seen` (wall days: they are about retries of clients, not about business)."""
        while True:
            try:
                await keep_days(self._database, "seen", today=self._clock.today())
                await asyncio.sleep(MAINTAIN_SECONDS)
            except UNAVAILABLE as error:
                _log.warning("maintenance_later", error=repr(error)[:300])
                await asyncio.sleep(5)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, processor: Processor) -> None:
        self._processor = processor
        self.is_let_go = False  # then what the group still assigns to its consumer is the next one's, which asks for it itself

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._processor.release(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        if not self.is_let_go:
            self._processor.take(assigned)

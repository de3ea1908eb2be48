"""One assigned partition: takes it over, works its batches one after the other, publishes behind, lets go when told or fenced."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from nextwave_contracts.places import Origin, Place
from nextwave_contracts.topics import Topic

from nextwave_runtime import metrics, outbox
from nextwave_runtime.application import Application, OutdatedError
from nextwave_runtime.batch import TIMERS_MAX, Applied, Batch, Desk, FoldFailedError, NarrowError
from nextwave_runtime.clock import WallClock
from nextwave_runtime.database import UNAVAILABLE, Database
from nextwave_runtime.outbox import Record
from nextwave_runtime.pacing import Pace, Streak
from nextwave_runtime.progress import FencedError, Input, Progress, acquire
from nextwave_runtime.publisher import Publisher
from nextwave_runtime.sifting import RawRecord, sift
from nextwave_runtime.timers import Gates, Wait, gates
from nextwave_runtime.watermarks import WatermarkTracker

RESTART_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
ATTEMPTS_MAX = 8
"""So often a batch is tried, each time without what failed before; then a smaller one is tried."""
TIMERS_FEW = 8
"""After more timers of one batch the next ones are soon due, too."""
CONTROL_RUN_MAX = 2_000
"""So many messages without effect are read before the place is stored all the same."""

_log = structlog.get_logger()


class LostInputError(Exception):
    """The log no longer has what comes next: messages were deleted unread, or the topic was made anew. A person must decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the workers of a processor share."""

    application: Application[Any]
    database: Database
    publisher: Publisher
    clock: WallClock
    partitions: int
    batch_max: int
    hold_seconds: float
    expected_origins: tuple[Origin, ...]
    rewind: Callable[[str, int, int], None]
    """Seek the consumer of (topic, partition) to an offset and let it flow."""
    extent: Callable[[str, int], Awaitable[tuple[int, int]]]
    """The first offset that (topic, partition) still has, and the next one that it will get."""
    streak: Streak = field(default_factory=Streak)


class PartitionWorker:
    """`run` until `stop`. Everything it knows is in the database; what is here is a copy of it."""

    def __init__(self, surroundings: Surroundings, topic: Topic, partition: int) -> None:
        self._around = surroundings
        self.topic = topic
        self.partition = partition
        self._key = Input(surroundings.application.name, topic.name, partition)
        self._desk = Desk(surroundings.application, self._key, topic, surroundings.partitions)
        self._records: deque[RawRecord] = deque()
        self._wake = asyncio.Event()
        self._stopping = False
        self._expecting: int | None = None
        self._publishing: asyncio.Task[None] | None = None
        self._sequence = 0
        self._acknowledged = 0
        self._pace = Pace(max(surroundings.batch_max, TIMERS_MAX))
        self.progress: Progress | None = None
        self.position = 0
        """The next offset to read. It is ahead of `progress` after control messages, which need no transaction."""
        self.taken_until: float = 0.0
        """Wall instant of the last record taken in."""
        self.tracker = WatermarkTracker(surroundings.expected_origins)
        self._next_due: dict[Wait, datetime] | None = {}
        """None: many have just been fired, and the next ones are not known yet."""

    @property
    def fires_timers(self) -> bool:
        """Whether this partition's owner fires the application's timers."""
        return self._around.application.timers_on.name == self.topic.name

    @property
    def full(self) -> bool:
        """Whether the consumer should pause this partition."""
        return len(self._records) >= 4 * self._around.batch_max

    @property
    def idle(self) -> bool:
        """Whether it waits for records."""
        return self.progress is not None and not self._records

    def feed(self, records: Iterable[Any]) -> None:
        """Takes consumed records in order; those from before the last seek are ignored."""
        for record in records:
            if self._expecting is None or record.offset < self._expecting:
                continue
            self._expecting = record.offset + 1
            self._records.append(self._raw(record))
        self._wake.set()

    def remind(self, next_due: dict[Wait, datetime]) -> None:
        """Says when, by what they wait for, this partition's next timers are due."""
        self._next_due = next_due
        if self._timers_due():
            self._wake.set()

    def expects_timers(self, soon: datetime) -> bool:
        """Whether timers may be due by then, as far as is known."""
        return self._next_due is None or any(due_at <= soon for due_at in self._next_due.values())

    def stop(self) -> None:
        """Finish what was begun, then end."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Takes over and works until stopped or fenced. After any other error of the surroundings it takes over anew."""
        attempt = 0
        while not self._stopping:
            try:
                await self._take_over()
                attempt = 0
                await self._work()
            except FencedError as error:
                metrics.FENCED.labels(self._key.processor).inc()
                _log.warning("fenced", detail=str(error))
                await self._pause(5.0)
            except UNAVAILABLE as error:
                metrics.RESTARTS.labels(self._key.processor).inc()
                _log.warning("partition_restarts", topic=self.topic.name, partition=self.partition, error=repr(error)[:500])
                self._pace.slower()
                await self._pause(RESTART_SECONDS[min(attempt, len(RESTART_SECONDS) - 1)])
                attempt += 1
        await self._published()

    async def _take_over(self) -> None:
        self._expecting = None
        self._records.clear()
        await self._published()
        beginning, end = await self._around.extent(self.topic.name, self.partition)
        async with self._around.database.transaction() as connection:
            progress = await acquire(connection, self._key, beginning=beginning)
        if progress.next_offset > end:  # the owner before may have gone on while we waited for its row
            _, end = await self._around.extent(self.topic.name, self.partition)
        if not beginning <= progress.next_offset <= end:
            raise LostInputError(
                f"{self._key}: the place is {progress.next_offset}, the log has {beginning} to {end}; see docs/operations.md"
            )
        async with self._around.database.transaction() as connection:
            left = await outbox.pending(connection, self._key)
        for sequence, records in left:
            await self._around.publisher.publish(records)
            self._sequence = self._acknowledged = sequence
        self.progress = progress
        self._expecting = self.position = progress.next_offset
        self._around.rewind(self.topic.name, self.partition, progress.next_offset)
        _log.info("partition_taken", topic=self.topic.name, partition=self.partition, epoch=progress.epoch, offset=progress.next_offset)

    async def _work(self) -> None:
        while not self._stopping:
            if not self._records and not self._timers_due():
                await self._wake.wait()
            self._wake.clear()
            if self._stopping:
                return
            size = self._pace.share(self._around.batch_max)
            if self._around.hold_seconds and len(self._records) < size // 4:
                await asyncio.sleep(self._around.hold_seconds)
            records = [self._records.popleft() for _ in range(min(size, len(self._records)))]
            if records or self._timers_due():
                await self._batch(records)
            if self._records:
                self._wake.set()

    async def _batch(self, records: Sequence[RawRecord]) -> None:
        assert self.progress is not None
        started = time.perf_counter()
        batch = self._sift(records)
        idle = not batch.sifted.taken and not batch.sifted.refusals and not self._timers_due()
        if idle and batch.next_offset - self.progress.next_offset < CONTROL_RUN_MAX:
            self._account(batch, None, records, started)
            return
        applied: Applied | None = None
        for _ in range(ATTEMPTS_MAX):
            try:
                async with self._around.database.transaction() as connection:
                    applied = await self._desk.apply(connection, batch, self.progress, (self._sequence + 1, self._acknowledged))
                break
            except FoldFailedError as failure:
                _log.error("fold_failed", processor=self._key.processor, topic=self.topic.name, reason=failure.reason, detail=str(failure))
                batch.failed.append(failure)
            except OutdatedError as overtaken:
                _log.info("batch_overtaken", processor=self._key.processor, partition=self.partition, detail=str(overtaken))
            except NarrowError:
                break
        if applied is None:
            self._pace.slower()
            _log.info("batch_made_smaller", processor=self._key.processor, topic=self.topic.name, partition=self.partition)
            self._records.extendleft(reversed(records))
            return
        self.progress = applied.progress
        self._account(batch, applied, records, started)
        await self._publish(applied.records)

    def _sift(self, records: Sequence[RawRecord]) -> Batch:
        assert self.progress is not None
        sifted = sift(self.topic, self.partition, records, self.progress.marks, joined_late=self.progress.joined_late)
        for heard in sifted.watermarks:
            self.tracker.heard(heard)
        fire = self._timers_due() and not (self._pace.alone and records)
        return Batch(
            sifted=sifted,
            next_offset=records[-1].offset + 1 if records else self.position,
            last_offset=records[-1].offset if records else self.position - 1,
            now=self._around.clock.now(),
            timers_max=self._pace.share(TIMERS_MAX) if fire else 0,
            gates=self._gates(sifted.marks),
        )

    def _account(self, batch: Batch, applied: Applied | None, records: Sequence[RawRecord], started: float) -> None:
        name = self._key.processor
        self.position = batch.next_offset
        self.tracker.settle(batch.sifted.marks)
        if records:
            self.taken_until = records[-1].wall
            metrics.BATCH.labels(name).observe(len(records))
        metrics.DUPLICATES.labels(name).inc(batch.sifted.duplicates)
        metrics.GAPS.labels(name).inc(batch.sifted.gaps)
        if applied is None:
            return
        metrics.APPLY.labels(name).observe(time.perf_counter() - started)
        metrics.TAKEN.labels(name).inc(applied.taken)
        metrics.TIMERS.labels(name).inc(applied.fired)
        if applied.fired < batch.timers_max:
            self._next_due = None if applied.fired > TIMERS_FEW else {}
        self._pace.done(applied.fold_seconds)
        self._around.streak.count(done=applied.taken + applied.fired - batch.failed_timers, failed=[f.reason for f in batch.failed])

    async def _publish(self, records: list[Record]) -> None:
        await self._published()
        if not records:
            return
        self._sequence += 1
        self._publishing = asyncio.create_task(self._around.publisher.publish(records))

    async def _published(self) -> None:
        if self._publishing is not None:
            await self._publishing
            self._publishing = None
            self._acknowledged = self._sequence

    def _timers_due(self) -> bool:
        if not self.fires_timers or self.progress is None or not self._next_due:
            return False
        opened = self._gates(self.progress.marks)
        return any(opened.open_for(wait, due_at) for wait, due_at in self._next_due.items())

    def _gates(self, marks: Mapping[Origin, Place]) -> Gates:
        clock, hands_over = self._around.clock, self._around.application.hands_over
        return gates(clock.now(), self.tracker.low(marks), sure=clock.sure, hands_over=hands_over)

    async def _pause(self, seconds: float) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(seconds):
                while not self._stopping:
                    await self._wake.wait()
                    self._wake.clear()
        except TimeoutError:
            return

    def _raw(self, record: Any) -> RawRecord:
        wall = record.timestamp / 1000
        return RawRecord(
            offset=record.offset,
            at=self._around.clock.at(wall),
            wall=wall,
            day=datetime.fromtimestamp(wall, UTC).date(),
            key=record.key or b"",
            value=record.value or b"",
            headers=dict(record.headers),
        )

"""One batch of one partition: load, fold, apply in one transaction, with everything that must be published in its outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import perf_counter
from typing import Any

from nextwave_contracts.places import (
    CONTENT_TYPE_HEADER,
    ORIGIN_HEADER,
    PREVIOUS_HEADER,
    TRACE_HEADER,
    Origin,
    Place,
    origin_header,
    previous_header,
)
from nextwave_contracts.reasons import RejectCode
from nextwave_contracts.rejected import PROCESSOR_BYTES_MAX, Rejected
from nextwave_contracts.topics import REJECTED, Topic, partition_of
from nextwave_contracts.wire import encode
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_runtime import metrics, outbox, seen, timers, tracing
from nextwave_runtime.application import Application, OutdatedError, Outgoing, RejectedError, Taken, Timer, Work
from nextwave_runtime.database import UNAVAILABLE, is_wrong_value
from nextwave_runtime.outbox import Record
from nextwave_runtime.pacing import FOLD_SECONDS_MAX
from nextwave_runtime.progress import Input, Progress, advance, moved
from nextwave_runtime.sifting import SIZE_MAX, Refusal, Sifted
from nextwave_runtime.timers import Gates

TIMERS_MAX = 500
"""Timers fired in one batch."""


class NarrowError(Exception):
    """Not as a whole: the database refused a value of some item, or folding takes too long. Try again with fewer items."""


class FoldFailedError(Exception):
    """Taking one item in raised: the batch was rolled back and can be tried again without it."""

    def __init__(self, item: Taken | Timer, reason: RejectCode, detail: str) -> None:
        super().__init__(detail)
        self.item = item
        self.reason: RejectCode = reason
        self.detail = detail


@dataclass(slots=True)
class Batch:
    """What is to be done: the sifted records up to `next_offset`, the timers' limits, and items already known to fail."""

    sifted: Sifted
    next_offset: int
    last_offset: int
    now: datetime
    timers_max: int
    gates: Gates
    failed: list[FoldFailedError] = field(default_factory=list)

    @property
    def failed_timers(self) -> int:
        """How many of the failed items are timers."""
        return sum(isinstance(failure.item, Timer) for failure in self.failed)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done: the progress now, the records to publish, and how many items were taken in."""

    progress: Progress
    records: list[Record]
    taken: int
    fired: int
    fold_seconds: float = 0.0


class Desk:
    """Where one partition's batches are worked on. It knows the application and the names; it keeps no state between batches."""

    def __init__(self, application: Application[Any], key: Input, topic: Topic, partitions: int) -> None:
        self._application = application
        self._key = key
        self._topic = topic
        self._partitions = partitions
        self._origin = Origin(f"{application.name}.{topic.short}", key.partition)

    async def apply(self, connection: AsyncConnection, batch: Batch, before: Progress, sequence: tuple[int, int]) -> Applied:
        """Does the batch in the caller's transaction. `sequence`: the outbox number to use, and the last one acknowledged.

        Raises `FencedError` (let go), `FoldFailedError` (roll back, try again without the item) and `OutdatedError` (roll back, try again).
        """
        taken = await self._unseen(connection, batch)
        due = await self._due(connection, batch)
        envelope = _Envelope(self._origin, self._partitions, before, batch)
        fold_seconds = await self._work(connection, taken, due, batch, envelope)
        after = moved(before, next_offset=batch.next_offset, cursor=envelope.cursor, marks=batch.sifted.marks, last=envelope.last)
        repeated = batch.sifted.duplicates + len(batch.sifted.taken) - len(taken)
        after = replace(after, duplicates=before.duplicates + repeated)
        await advance(connection, self._key, before, after, outbox.change(sequence, envelope.records))
        refused = len(batch.failed) - batch.failed_timers
        return Applied(after, envelope.records, len(taken) - refused, len(due), fold_seconds)

    async def _unseen(self, connection: AsyncConnection, batch: Batch) -> list[Taken]:
        """Without repetitions. An item that is rejected is not remembered: when it is sent again after a fix, it must be taken in."""
        sifted, failed = batch.sifted, {id_of(failure.item) for failure in batch.failed}
        if not sifted.door_ids:
            return sifted.taken
        new: set[str] = set()
        by_day: dict[Any, list[str]] = {}
        for offset, name in sifted.door_ids.items():
            if (offset,) in failed:
                continue
            by_day.setdefault(sifted.raw[offset].day, []).append(name)
        for day, names in sorted(by_day.items()):
            new |= await seen.first_time(connection, names, day)
        taken = []
        for item in sifted.taken:
            name = sifted.door_ids[item.offset]
            if id_of(item) in failed:
                taken.append(item)
            elif name in new:
                new.discard(name)
                taken.append(item)
        metrics.DUPLICATES.labels(self._key.processor).inc(len(sifted.taken) - len(taken))
        return taken

    async def _due(self, connection: AsyncConnection, batch: Batch) -> list[Timer]:
        if not batch.timers_max:
            return []
        return await timers.take_due(connection, self._key.partition, batch.gates, batch.timers_max)

    async def _work(self, connection: AsyncConnection, taken: list[Taken], due: list[Timer], batch: Batch, envelope: _Envelope) -> float:
        failed = {id_of(f.item) for f in batch.failed}
        good = [item for item in taken if id_of(item) not in failed]
        fit = [timer for timer in due if id_of(timer) not in failed]
        refusals = [*batch.sifted.refusals, *(self._refusal(f, batch) for f in batch.failed if isinstance(f.item, Taken))]
        work = Work(self._topic, self._key.partition, self._partitions, batch.now, good, fit)
        try:
            unit = await self._application.load(connection, work) if good or fit else None
            messages: list[Taken | Refusal] = sorted([*good, *refusals], key=_offset_of)
            seconds = self._fold(unit, [*messages, *fit], batch, envelope)
            if unit is not None:
                await self._application.save(connection, unit)
        except NarrowError:
            raise
        except Exception as error:
            if not _blames_item(error):
                raise
            if len(good) + len(fit) == 1:
                raise FoldFailedError(good[0] if good else fit[0], "fold_failed", repr(error)[:500]) from error
            raise NarrowError(repr(error)[:500]) from error
        return seconds

    def _fold(self, unit: Any, items: Sequence[Taken | Timer | Refusal], batch: Batch, envelope: _Envelope) -> float:
        """Folds the items in order; how many seconds it took. Raises `NarrowError` where they take too long and are several."""
        started, folded = perf_counter(), 0
        for item in items:
            if isinstance(item, Refusal):
                envelope.reject(item.record.offset, self._rejected(item, batch.now))
                continue
            if folded and perf_counter() - started > FOLD_SECONDS_MAX:
                raise NarrowError(f"folding {folded} of {len(items)} items took {perf_counter() - started:.1f} s")
            envelope.add(item, self._fold_one(unit, item, batch.now))
            folded += 1
        for failure in batch.failed:
            if isinstance(failure.item, Timer):
                envelope.reject(None, self._failed_timer(failure.item, failure, batch.now))
        metrics.FOLD.labels(self._key.processor).observe(perf_counter() - started)
        return perf_counter() - started

    def _fold_one(self, unit: Any, item: Taken | Timer, now: datetime) -> list[Outgoing]:
        try:
            return list(self._application.fold(unit, item, now))
        except RejectedError as error:
            raise FoldFailedError(item, error.reason, error.detail) from error
        except Exception as error:
            raise FoldFailedError(item, "fold_failed", repr(error)[:500]) from error

    def _rejected(self, refusal: Refusal, now: datetime) -> Rejected:
        record = refusal.record
        metrics.REJECTED.labels(self._key.processor, refusal.reason).inc()
        return Rejected(
            reason=refusal.reason,
            detail=refusal.detail,
            processor=self._key.processor,
            topic=self._key.topic,
            partition=self._key.partition,
            offset=record.offset,
            at=now,
            payload=record.value[:PROCESSOR_BYTES_MAX],
            size_bytes=len(record.value),
            key=record.key.decode("utf-8", "replace")[:256],
        )

    def _refusal(self, failure: FoldFailedError, batch: Batch) -> Refusal:
        assert isinstance(failure.item, Taken)
        return Refusal(batch.sifted.raw[failure.item.offset], failure.reason, failure.detail)

    def _failed_timer(self, timer: Timer, failure: FoldFailedError, now: datetime) -> Rejected:
        metrics.REJECTED.labels(self._key.processor, failure.reason).inc()
        return Rejected(
            reason=failure.reason,
            detail=f"timer {timer.kind} of {timer.key} due {timer.due_at.isoformat()}: {failure.detail}",
            processor=self._key.processor,
            topic="timers",
            partition=self._key.partition,
            offset=-1,
            at=now,
            payload=timer.payload,
            size_bytes=len(timer.payload),
            key=timer.key,
        )


def id_of(item: Taken | Timer) -> tuple[Any, ...]:
    """What makes an item the same one when its batch is tried again."""
    return (item.offset,) if isinstance(item, Taken) else (item.due_at, item.key, item.kind)


def _offset_of(item: Taken | Timer | Refusal) -> int:
    return item.record.offset if isinstance(item, Refusal) else item.offset if isinstance(item, Taken) else -1


def _blames_item(error: Exception) -> bool:
    """Whether an item is at fault, not the surroundings: a value that the database cannot hold, or any error of our own code."""
    return is_wrong_value(error) or not isinstance(error, (*UNAVAILABLE, FoldFailedError, OutdatedError))


class _Envelope:
    """Turns messages into records with their places: origin, number, and the one before on the same way."""

    def __init__(self, origin: Origin, partitions: int, before: Progress, batch: Batch) -> None:
        self._origin = origin
        self._partitions = partitions
        self._batch = batch
        self.records: list[Record] = []
        self.last = dict(before.last_places)
        self.cursor = max(before.cursor, Place(batch.last_offset, -1))
        self._next: dict[int, int] = {before.cursor.offset: before.cursor.number + 1}

    def add(self, item: Taken | Timer, messages: Iterable[Outgoing]) -> None:
        offset = item.offset if isinstance(item, Taken) else self._batch.last_offset
        trace = self._batch.sifted.traces.get(offset, "") if isinstance(item, Taken) else ""
        for message in messages:
            self._put(offset, message, item, trace)

    def reject(self, offset: int | None, rejected: Rejected) -> None:
        self._put(self._batch.last_offset if offset is None else offset, Outgoing(REJECTED, rejected), None, "")

    def _put(self, offset: int, out: Outgoing, item: Taken | Timer | None, trace: str) -> None:
        value = encode(out.message)
        if len(value) > SIZE_MAX and item is not None:
            raise FoldFailedError(item, "too_large", f"it causes a message of {len(value)} bytes on {out.topic.name}")
        key = out.topic.key(out.message).encode()
        target = (out.topic.name, partition_of(key, self._partitions) if out.partition is None else out.partition)
        number = self._next.get(offset, 0)
        self._next[offset] = number + 1
        place = Place(offset, number)
        headers = [
            (ORIGIN_HEADER, origin_header(self._origin, place)),
            (PREVIOUS_HEADER, previous_header(self.last.get(target))),
            (CONTENT_TYPE_HEADER, b"application/json"),
        ]
        if trace:
            headers.append((TRACE_HEADER, tracing.child(trace, self._origin.processor, topic=out.topic.name).encode()))
        self.records.append(Record(*target, key, value, headers))
        self.last[target] = place
        self.cursor = max(self.cursor, place)

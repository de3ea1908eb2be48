"""Group commit: the 2xx of ingest. Accepted means acknowledged by all in-sync replicas; otherwise 503, and 429 when memory is full."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from nextwave_contracts.topics import HOLDS, MAPPINGS, MESSAGE_BYTES_MAX, REDRIVEN, REJECTED, SOURCES, TOUCHPOINTS, partition_of
from nextwave_runtime.broker_away import BROKER_AWAY
from nextwave_runtime.metrics import PRODUCER_REBUILDS
from nextwave_runtime.problem import Problem

from nextwave_ingest import metrics
from nextwave_ingest.lane import Group, Lane, LaneBrokenError, unavailable
from nextwave_ingest.records import Record

START_SECONDS = 5.0
STOP_SECONDS = 2.0
RETRY_SECONDS = 0.5
"""Between two attempts to reach Kafka."""
BATCH_BYTES = 262_144
RECORD_OVERHEAD_BYTES = 200
"""What a waiting record costs beside its value: key, headers, bookkeeping."""
RECORD_BYTES_MAX = MESSAGE_BYTES_MAX - 4096
"""Of a value and its key; the rest is for headers and framing."""
_TOPICS = (TOUCHPOINTS.name, HOLDS.name, REJECTED.name, REDRIVEN.name, MAPPINGS.name, SOURCES.name)

_log = structlog.get_logger()


class Pipeline:
    """One producer and its lanes. When any lane breaks, all of it is given up: after a lost batch an idempotent producer is stuck."""

    def __init__(self, producer: Any, partitions: dict[str, int], *, timing: tuple[float, float], settled: Callable[[int], None]) -> None:
        self._producer = producer
        self._lanes = {
            topic: [Lane(producer, topic, number, timing=timing, settled=settled) for number in range(count)]
            for topic, count in partitions.items()
        }
        self._tasks = [asyncio.create_task(lane.run()) for lanes in self._lanes.values() for lane in lanes]

    def add(self, record: Record, size: int) -> Group:
        """Puts the record on its way; its group tells when it is durable."""
        lanes = self._lanes[record.topic]
        return lanes[partition_of(record.key, len(lanes))].add(record, size)

    async def broken(self) -> str:
        """Waits until a lane breaks; why."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        error = next(iter(done)).exception()
        if error is not None and not isinstance(error, LaneBrokenError):
            raise error
        return str(error)

    async def give_up(self) -> None:
        """Fails what waits and lets the producer go, in bounded time."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for lanes in self._lanes.values():
            for lane in lanes:
                lane.fail()
        await _discard(self._producer)


class GroupCommit:
    """The committer: keeps one pipeline, and builds another when it breaks. `run` is the service's background job, `close` its end."""

    def __init__(self, bootstrap: str, *, linger_seconds: float, timeout_seconds: float, pending_bytes_max: int) -> None:
        self._bootstrap = bootstrap
        self._timing = (linger_seconds, timeout_seconds)
        self._pending_bytes_max = pending_bytes_max
        self._pending_bytes = 0
        metrics.PENDING.set_function(lambda: self._pending_bytes)
        self._pipeline: Pipeline | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def fault(self) -> str:
        """Why nothing can be committed now, or an empty text."""
        return "" if self._pipeline else "waiting for Kafka"

    async def commit(self, records: Iterable[Record]) -> None:
        """Returns once all records are acknowledged. Raises a 413, 429 or 503 `Problem`, before it makes more than there is room for."""
        made, sizes = self._made(records)
        pipeline = self._pipeline
        if pipeline is None:
            raise unavailable()
        self._pending_bytes += sum(sizes)
        for group in set(map(pipeline.add, made, sizes)):
            await group.landed()

    def _made(self, records: Iterable[Record]) -> tuple[list[Record], list[int]]:
        """The records and their sizes, made one by one for as long as there is room."""
        made, sizes = [], []
        room = self._pending_bytes_max - self._pending_bytes
        for record in records:
            content = len(record.value)
            if len(record.key) + content > RECORD_BYTES_MAX:
                detail = f"a message would have more than {RECORD_BYTES_MAX} bytes; nothing was accepted: send less at once"
                raise Problem(413, "too-large", detail)
            size = content + RECORD_OVERHEAD_BYTES
            room -= size
            if room < 0:
                raise Problem(429, "overloaded", "more arrives than can be made durable; send the same again later", retry_after_seconds=1)
            made.append(record)
            sizes.append(size)
        return made, sizes

    async def run(self) -> None:
        """Keeps a pipeline. Cancelling it ends the wait only: a draining server goes on committing until `close`."""
        self._keeper = asyncio.create_task(self._keep())
        await asyncio.shield(self._keeper)

    async def close(self) -> None:
        """Lets the pipeline go; called when the server answers nobody any more."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self._let_go()

    async def _keep(self) -> None:
        while True:
            await self._serve()
            await asyncio.sleep(RETRY_SECONDS)

    async def _serve(self) -> None:
        try:
            self._pipeline = await self._open()
        except BROKER_AWAY as error:
            _log.warning("log_unreachable", error=repr(error))
            return
        _log.info("log_reached")
        reason = await self._pipeline.broken()
        _log.warning("pipeline_broken", reason=reason)
        PRODUCER_REBUILDS.labels("ingest").inc()
        await self._let_go()

    async def _open(self) -> Pipeline:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id="nextwave-ingest",
            enable_idempotence=True,
            acks="all",
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=int(self._timing[1] * 1000),
            retry_backoff_ms=50,
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                await producer.start()
                partitions = {topic: len(await producer.partitions_for(topic)) for topic in _TOPICS}
        except BaseException:
            await _discard(producer)
            raise
        return Pipeline(producer, partitions, timing=self._timing, settled=self._settle)

    async def _let_go(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            await pipeline.give_up()

    def _settle(self, size: int) -> None:
        self._pending_bytes -= size


async def _discard(producer: Any) -> None:
    """Stops a producer even where it would wait for acknowledgements that never come."""
    stopping = asyncio.ensure_future(producer.stop())
    done, _ = await asyncio.wait({stopping}, timeout=STOP_SECONDS)
    if not done:
        # aiokafka's idempotent batches never expire, and it has no public way to give them up
        producer._message_accumulator.fail_all(KafkaError("given up"))  # noqa: SLF001  (see above)
        producer._sender.sender_task.cancel()  # noqa: SLF001  (see above)
        await asyncio.wait({stopping}, timeout=STOP_SECONDS)
    with suppress(*BROKER_AWAY, asyncio.CancelledError):
        if stopping.done():
            stopping.result()

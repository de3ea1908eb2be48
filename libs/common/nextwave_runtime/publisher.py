"""The only sender of processors' messages: an idempotent producer that is replaced after any error it cannot get over."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer

from nextwave_runtime import metrics
from nextwave_runtime.broker_away import BROKER_AWAY
from nextwave_runtime.cancelling import is_meant
from nextwave_runtime.outbox import Record

ACKNOWLEDGE_SECONDS = 15.0
"""How long acknowledgements of one blob may take before the producer is replaced and the blob sent again."""
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0)

_log = structlog.get_logger()


class Publisher:
    """Publishes records and returns only when all of them are acknowledged by all in-sync replicas."""

    def __init__(self, bootstrap: str, processor: str) -> None:
        self._bootstrap = bootstrap
        self._processor = processor
        self._producer: Any = None
        self._lock = asyncio.Lock()

    async def publish(self, records: Sequence[Record]) -> None:
        """Sends the records in order; after any missing acknowledgement all of them again with a new producer, until it succeeds."""
        for attempt in range(1_000_000):
            producer: Any = None
            try:
                producer = await self._current()
                async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                    await _send(producer, records)
                break
            except (*BROKER_AWAY, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and is_meant():
                    raise
                _log.warning("publish_failed", processor=self._processor, error=repr(error), records=len(records))
                await self._discard(producer)
                await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
        for topic, count in Counter(record.topic for record in records).items():
            metrics.PUBLISHED.labels(self._processor, topic).inc(count)

    async def close(self) -> None:
        """Stops the producer; nothing is pending, since `publish` waits for acknowledgements."""
        await self._discard(self._producer)

    async def _current(self) -> Any:
        async with self._lock:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    enable_idempotence=True,
                    acks="all",
                    max_batch_size=262_144,
                    max_request_size=4_194_304,
                    request_timeout_ms=10_000,
                    client_id=f"nextwave-{self._processor}",
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _discard(self, producer: Any) -> None:
        if producer is None or producer is not self._producer:
            return
        self._producer = None
        metrics.PRODUCER_REBUILDS.labels(self._processor).inc()
        try:
            async with asyncio.timeout(2):
                await producer.stop()
        except BROKER_AWAY as error:
            _log.warning("producer_stop_failed", error=repr(error))


async def _send(producer: Any, records: Sequence[Record]) -> None:
    sent = [
        await producer.send(r.topic, value=r.value, key=r.key, partition=r.partition, headers=[(k, bytes(v)) for k, v in r.headers])
        for r in records
    ]
    await asyncio.gather(*sent)

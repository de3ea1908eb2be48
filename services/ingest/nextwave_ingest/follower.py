"""Follows a topic from its beginning, each replica for itself: no group and no kept progress, since each start reads all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from nextwave_contracts.topics import Topic
from nextwave_runtime.broker_away import BROKER_AWAY
from nextwave_runtime.cancelling import is_meant
from nextwave_runtime.membership import fetches, let_go

from nextwave_ingest.metrics import PASSED_OVER

POLL_SECONDS = 1.0
RETRY_SECONDS = 0.5
DEAF_SECONDS = 10.0
"""So long without a record while some are known to be there, and the consumer is replaced."""

_log = structlog.get_logger()


class Follower:
    """Hands every record's value to `take`, in the order of its partition. After a broken connection it begins again at the beginning,
    so `take` must do nothing with what it had before. A record for which it raises is passed over.
    """

    def __init__(self, bootstrap: str, topic: Topic, take: Callable[[bytes], None]) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._take = take
        self._caught_up = False

    @property
    def fault(self) -> str:
        """Why what it follows is not known yet, or an empty text. Once known it stays known, if older, while Kafka is away."""
        return "" if self._caught_up else f"waiting for {self._topic.name}"

    async def run(self) -> None:
        """Follows until cancelled."""
        while True:
            consumer = AIOKafkaConsumer(
                self._topic.name,
                bootstrap_servers=self._bootstrap,
                client_id="nextwave-ingest",
                auto_offset_reset="earliest",
                request_timeout_ms=10_000,
            )
            try:
                await consumer.start()
                await self._follow(consumer)
            except (*BROKER_AWAY, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and is_meant():
                    raise
                _log.warning("follower_interrupted", topic=self._topic.name, error=repr(error))
            finally:
                await let_go(consumer)
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, consumer: Any) -> None:
        """With one consumer, until it is deaf. What there was when it was last asked for must come."""
        owed, heard = await _ends(consumer), time.monotonic()
        while fetches(consumer):
            behind = await _is_behind(consumer, owed)
            self._caught_up = self._caught_up or not behind
            quiet = time.monotonic() - heard > DEAF_SECONDS
            if quiet and behind:
                break
            if quiet:
                owed, heard = await _ends(consumer), time.monotonic()
            for records in (await consumer.getmany(timeout_ms=int(POLL_SECONDS * 1000))).values():
                heard = time.monotonic()
                for record in records:
                    self._pass_on(record)
        _log.error("follower_replaced", topic=self._topic.name)

    def _pass_on(self, record: Any) -> None:
        try:
            self._take(record.value or b"")
        except Exception as error:  # noqa: BLE001  (anybody may have written it, and every replica reads it at each start)
            PASSED_OVER.labels(self._topic.name).inc()
            where = f"{record.partition}-{record.offset}"
            _log.warning("record_passed_over", topic=self._topic.name, record=where, error=repr(error)[:200])


async def _ends(consumer: Any) -> dict[TopicPartition, int]:
    ends: dict[TopicPartition, int] = await consumer.end_offsets(list(consumer.assignment()))
    return ends


async def _is_behind(consumer: Any, owed: dict[TopicPartition, int]) -> bool:
    for place in consumer.assignment():
        if await consumer.position(place) < owed.get(place, 0):
            return True
    return False

"""One partition's way to Kafka: records of many requests fill a shared batch, one sender hands the batches over strictly in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from nextwave_runtime.broker_away import BROKER_AWAY
from nextwave_runtime.cancelling import is_meant
from nextwave_runtime.problem import Problem

from nextwave_ingest import metrics
from nextwave_ingest.records import Record


class BatchProducer(Protocol):
    """The part of `AIOKafkaProducer` that is used here."""

    def create_batch(self) -> Any: ...

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[Any]: ...


class LaneBrokenError(Exception):
    """A group was not acknowledged: the producer can be trusted no more."""


@dataclass(slots=True, eq=False)
class Group:
    """Records that are acknowledged or lost together."""

    batch: Any
    born: float
    size: int = 0
    records: int = 0
    ended: bool = False
    lost: bool = False
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    """One future per request, so that one which is cancelled ends nobody else's wait; a shield for each cost more."""

    async def landed(self) -> None:
        """Returns once the records are durable. Raises a 503 `Problem` when they may be lost."""
        if not self.ended:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(waiter)
            await waiter
        if self.lost:
            raise unavailable()

    def end(self, *, lost: bool) -> None:
        """Tells every request that waits."""
        self.ended, self.lost = True, lost
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(None)


def unavailable() -> Problem:
    """What a client is told while Kafka is away or slow."""
    return Problem(503, "log-unavailable", "nothing was accepted for sure; send the same again later", retry_after_seconds=2)


class Lane:
    """Collects records of one partition. `settled(size)` is called with the bytes of each group that needs no memory any more."""

    def __init__(
        self, producer: BatchProducer, topic: str, partition: int, *, timing: tuple[float, float], settled: Callable[[int], None]
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._partition = partition
        self._linger_seconds, self._timeout_seconds = timing
        self._settled = settled
        self._groups: deque[Group] = deque()
        self._filled = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def idle(self) -> bool:
        """Whether nothing waits for being sent."""
        return not self._groups

    def add(self, record: Record, size: int) -> Group:
        """Puts a record into the open group, which tells when it is durable."""
        group = self._groups[-1] if self._groups else self._begin()
        while group.batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers) is None:
            if not group.records:
                raise AssertionError("an empty batch takes any first record")
            group = self._begin()
        group.size += size
        group.records += 1
        return group

    async def run(self) -> None:
        """Sends group after group. Raises `LaneBrokenError` when one is not acknowledged in time."""
        while True:
            await self._filled.wait()
            remaining = self._groups[0].born + self._linger_seconds - self._loop.time()
            if remaining > 0 and len(self._groups) == 1:
                await asyncio.sleep(remaining)
            group = self._groups.popleft()
            if not self._groups:
                self._filled.clear()
            await self._send(group)

    def fail(self) -> None:
        """Tells every waiting request that its records were not sent."""
        while self._groups:
            self._end(self._groups.popleft(), lost=True)

    async def _send(self, group: Group) -> None:
        metrics.GROUPS.observe(group.records)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await (await self._producer.send_batch(group.batch, self._topic, partition=self._partition))
        except (*BROKER_AWAY, asyncio.CancelledError) as error:
            self._end(group, lost=True)
            if isinstance(error, asyncio.CancelledError) and is_meant():
                raise
            raise LaneBrokenError(f"{self._topic}/{self._partition}: {error!r}") from error
        except BaseException:
            self._end(group, lost=True)
            raise
        self._end(group, lost=False)

    def _begin(self) -> Group:
        group = Group(self._producer.create_batch(), self._loop.time())
        self._groups.append(group)
        self._filled.set()
        return group

    def _end(self, group: Group, *, lost: bool) -> None:
        self._settled(group.size)
        group.end(lost=lost)

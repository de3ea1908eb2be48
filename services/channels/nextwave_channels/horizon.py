"""How many stops were accepted by now: where each `holds` partition ends, asked of Kafka before a claim, which must have read so far.

A stop is accepted when Kafka has it, not when we have read it; while its partition's owner is dead or cut off, only Kafka knows of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from nextwave_contracts.topics import HOLDS
from nextwave_runtime.broker_away import BROKER_AWAY
from nextwave_runtime.cancelling import is_meant

from nextwave_channels import metrics

SHARED_SECONDS = 0.02
"""Claims that begin so close together share one answer."""
ANSWER_SECONDS = 1.0
STOP_SECONDS = 2.0
LONG_SECONDS = 3.0
"""Claims that wait longer than this are spoken of in the log."""

_log = structlog.get_logger()


class ClaimsWaitError(Exception):
    """Nothing may be claimed now; the text says why. It passes by itself."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """Where the partitions of `holds` ended at `asked_at` (steady seconds) or later: a stop accepted before is before these offsets."""

    asked_at: float
    ends: Mapping[int, int]


@dataclass(slots=True)
class Waiting:
    """How long the claims of a channel have been waiting: shown always, said once when it is long. `steady` gives seconds."""

    channel: str
    steady: Callable[[], float]
    _since: float | None = None
    _said: bool = False

    def goes_on(self, why: str) -> None:
        """A claim had to wait."""
        now = self.steady()
        self._since = now if self._since is None else self._since
        metrics.CLAIMS_WAIT.labels(self.channel).set(now - self._since)
        if not self._said and now - self._since > LONG_SECONDS:
            self._said = True
            _log.error("claims_wait", channel=self.channel, why=why)

    def is_over(self) -> None:
        """A claim was possible, or nothing was due."""
        if self._since is None:
            return
        if self._said:
            _log.warning("claims_go_on", channel=self.channel, seconds=round(self.steady() - self._since, 3))
        self._since, self._said = None, False
        metrics.CLAIMS_WAIT.labels(self.channel).set(0)


class HoldsHorizon:
    """Asks Kafka, with one consumer for all dispatchers of the replica; after any error it is replaced by a new one."""

    def __init__(self, bootstrap: str, partitions: int, steady: Callable[[], float]) -> None:
        self._bootstrap = bootstrap
        self._inputs = [TopicPartition(HOLDS.name, n) for n in range(partitions)]
        self._steady = steady
        self._consumer: Any = None
        self._one_at_a_time = asyncio.Lock()
        self._asked_at = float("-inf")
        self._answer: asyncio.Task[Horizon] | None = None

    async def look(self) -> Horizon:
        """The ends as they are now, or were `SHARED_SECONDS` ago. Raises `ClaimsWaitError` when Kafka does not answer at once."""
        now = self._steady()
        if self._answer is None or now - self._asked_at > SHARED_SECONDS:
            self._asked_at = now
            self._answer = asyncio.create_task(self._ask(now))
        return await asyncio.shield(self._answer)

    async def close(self) -> None:
        """Lets the connections go."""
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await consumer.stop()
        except BROKER_AWAY as error:
            _log.warning("consumer_stop_failed", error=repr(error))

    async def _ask(self, asked_at: float) -> Horizon:
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    ends = await (await self._connected()).end_offsets(self._inputs)
            except (*BROKER_AWAY, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and is_meant():
                    raise
                await self.close()
                raise ClaimsWaitError(f"Kafka does not say how many stops there are: {error!r}") from error
        return Horizon(asked_at, {tp.partition: ends[tp] for tp in self._inputs})

    async def _connected(self) -> Any:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, client_id="nextwave-channels-horizon")
            try:
                await consumer.start()
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        return self._consumer

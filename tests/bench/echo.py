"""The limit of the ring's latency: three bare hops through Kafka with one commit each, in one process, with nothing decided.

A hop is: take what is there from a topic, commit one PostgreSQL transaction that updates one row, send the same on, wait for the broker.
Messages come at an even rate. A message's time is from the broker's time stamp on the first topic to the one on the fourth.
`python -m bench.echo` reads an `Asked` from standard input and writes a list of milliseconds to standard output, both JSON.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time
from typing import Any

import asyncpg
import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

HOPS = 3
TABLE = "create table hops (hop int primary key, messages bigint not null)"
PAUSE_SECONDS = 1.0
END_SECONDS = 20.0
_STAMP = struct.Struct(">q")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`topics` are the four in order, with broker time stamps; messages of `size` bytes, `rate` a second for `seconds`."""

    kafka: str
    postgres: str
    topics: list[str]
    rate: float
    seconds: float
    size: int = 700


class Echo:
    """One run."""

    def __init__(self, asked: Asked, producer: Any, consumers: list[Any]) -> None:
        self._asked = asked
        self._producer = producer
        self._consumers = consumers
        self._wanted = int(asked.rate * asked.seconds)

    async def run(self, pool: Any) -> list[int]:
        """The milliseconds of every message."""
        relays = [asyncio.create_task(self._relay(hop, pool)) for hop in range(HOPS)]
        posting = asyncio.create_task(self._post())
        try:
            async with asyncio.timeout(self._asked.seconds + END_SECONDS):
                return await self._arrived()
        finally:
            for task in (*relays, posting):
                task.cancel()
            await asyncio.gather(*relays, posting, return_exceptions=True)

    async def _post(self) -> None:
        content = bytes(self._asked.size)
        began, sent = time.perf_counter(), 0
        while sent < self._wanted:
            if sent >= (time.perf_counter() - began) * self._asked.rate:
                await asyncio.sleep(0.001)
                continue
            await self._producer.send(self._asked.topics[0], content, partition=sent % 4)
            sent += 1

    async def _relay(self, hop: int, pool: Any) -> None:
        async with pool.acquire() as connection:
            while True:
                found = await self._take(hop)
                async with connection.transaction():
                    await connection.execute("update hops set messages = messages + $1 where hop = $2", len(found), hop)
                sent = [await self._producer.send(self._asked.topics[hop + 1], _stamped(r, hop), partition=r.partition) for r in found]
                await asyncio.gather(*sent)

    async def _arrived(self) -> list[int]:
        passed: list[int] = []
        while len(passed) < self._wanted:
            passed += [record.timestamp - _STAMP.unpack_from(record.value)[0] for record in await self._take(HOPS)]
        return passed

    async def _take(self, hop: int) -> list[Any]:
        batches = await self._consumers[hop].getmany(timeout_ms=10_000)
        return [record for records in batches.values() for record in records]


def _stamped(record: Any, hop: int) -> bytes:
    value: bytes = record.value
    return value if hop else _STAMP.pack(record.timestamp) + value[_STAMP.size :]


async def measure(asked: Asked) -> list[int]:
    """Connects everything, runs, lets go."""
    pool = await asyncpg.create_pool(asked.postgres, min_size=HOPS, max_size=HOPS)
    producer = AIOKafkaProducer(bootstrap_servers=asked.kafka, acks="all", enable_idempotence=True)
    consumers = [AIOKafkaConsumer(topic, bootstrap_servers=asked.kafka, fetch_max_wait_ms=100) for topic in asked.topics]
    try:
        await pool.executemany("insert into hops values ($1, 0) on conflict do nothing", [(hop,) for hop in range(HOPS)])
        await asyncio.gather(producer.start(), *(consumer.start() for consumer in consumers))
        for consumer in consumers:
            await consumer.seek_to_end()
        await asyncio.sleep(PAUSE_SECONDS)
        return await Echo(asked, producer, consumers).run(pool)
    finally:
        await asyncio.gather(producer.stop(), *(consumer.stop() for consumer in consumers))
        await pool.close()


def main() -> None:
    """Standard input to standard output."""
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(measure(asked))))


if __name__ == "__main__":
    main()

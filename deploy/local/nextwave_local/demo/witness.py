"""Reads the topics with a plain Kafka client, as anybody outside could, and keeps what the recount needs of each message."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from aiokafka import AIOKafkaConsumer
from nextwave_contracts.topics import ACTIONS, CUSTOMERS, DECISIONS, OUTCOMES, REJECTED, TOUCHPOINTS, Topic
from nextwave_contracts.wire import decode

from nextwave_local.demo.evidence import Evidence

FETCH_BYTES_MAX = 8 * 1024 * 1024


class _Named(msgspec.Struct):
    """Of a touchpoint only its name: what is not named here is not even decoded."""

    id: str
    source: str


class _Customers(msgspec.Struct):
    """Of a message about a customer only what led to it."""

    type: str
    touchpoint: _Named | None = None


async def read_all(bootstrap: str, evidence: Evidence) -> None:
    """Adds everything that the topics hold now to `evidence`."""
    named = msgspec.json.Decoder(_Named)
    customers = msgspec.json.Decoder(_Customers)
    async for at, raw in _records(bootstrap, TOUCHPOINTS):
        touchpoint = named.decode(raw)
        evidence.touchpoint(touchpoint.source, touchpoint.id, at)
    async for _, raw in _records(bootstrap, CUSTOMERS):
        message = customers.decode(raw)
        evidence.customer(message.type, (message.touchpoint.source, message.touchpoint.id) if message.touchpoint else None)
    for topic in (DECISIONS, ACTIONS, OUTCOMES):
        async for at, raw in _records(bootstrap, topic):
            evidence.add(decode(raw, topic.message), at)
    async for _ in _records(bootstrap, REJECTED):
        evidence.rejected += 1


async def _records(bootstrap: str, topic: Topic) -> AsyncIterator[tuple[float, bytes]]:
    """Every record that the topic has at the start of the reading: the broker's time stamp (milliseconds) and the value."""
    consumer = AIOKafkaConsumer(
        topic.name, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest", fetch_max_bytes=FETCH_BYTES_MAX
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    if record.offset < ends[place]:
                        yield float(record.timestamp), record.value
    finally:
        await consumer.stop()

"""Reads the topics with a plain Kafka client, as anybody outside could, and keeps what the recount needs of each message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer
from nextwave_contracts.places import ORIGIN_HEADER
from nextwave_contracts.topics import ACTIONS, CUSTOMERS, DECISIONS, OUTCOMES, REJECTED, TOUCHPOINTS, Topic
from nextwave_contracts.wire import decode

from nextwave_local.demo.evidence import Evidence

FETCH_BYTES_MAX = 8 * 1024 * 1024


class _Named(msgspec.Struct):
    """Of a touchpoint only its name: what is not named here is not even decoded."""

    id: str
    source: str


class _About(msgspec.Struct, frozen=True):
    """Of a touchpoint's data only which contact it answers, and how a call went."""

    action_id: str = ""
    refusal: bool = False


class _Touchpoint(_Named):
    """Of a touchpoint what makes it the answer to a contact."""

    type: str
    data: _About = _About()


class _Customers(msgspec.Struct):
    """Of a message about a customer only what led to it."""

    type: str
    touchpoint: _Named | None = None


async def read_all(bootstrap: str, evidence: Evidence) -> None:
    """Adds everything that the topics hold now to `evidence`."""
    touchpoints = msgspec.json.Decoder(_Touchpoint)
    customers = msgspec.json.Decoder(_Customers)
    async for at, raw in _records(bootstrap, TOUCHPOINTS):
        touchpoint = touchpoints.decode(raw)
        evidence.touchpoint((touchpoint.source, touchpoint.id), at)
        if touchpoint.data.action_id:
            evidence.answer(touchpoint.data.action_id, touchpoint.type, refused=touchpoint.data.refusal)
    async for _, raw in _records(bootstrap, CUSTOMERS):
        message = customers.decode(raw)
        evidence.customer(message.type, (message.touchpoint.source, message.touchpoint.id) if message.touchpoint else None)
    for topic in (DECISIONS, ACTIONS, OUTCOMES):
        async for at, raw in _records(bootstrap, topic):
            evidence.add(decode(raw, topic.message), at)
    async for _ in _records(bootstrap, REJECTED):
        evidence.rejected += 1


async def _records(bootstrap: str, topic: Topic) -> AsyncIterator[tuple[float, bytes]]:
    """Every message that the topic has at the start of the reading: the broker's time stamp (milliseconds) and the value.

    What a processor published again, unsure whether the broker had it, stands there twice with one origin and is one message.
    """
    consumer = AIOKafkaConsumer(
        topic.name, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest", fetch_max_bytes=FETCH_BYTES_MAX
    )
    known: set[tuple[int, bytes]] = set()
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        while await _behind(consumer, ends):
            for record in (fetched for fetched in await _fetched(consumer, ends) if _is_news(fetched, known)):
                yield float(record.timestamp), record.value
    finally:
        await consumer.stop()


def _is_news(record: Any, known: set[tuple[int, bytes]]) -> bool:
    """Whether no record of this origin was met before; what was born at a door has none."""
    origin = dict(record.headers).get(ORIGIN_HEADER)
    if origin is None:
        return True
    met = (record.partition, origin) in known
    known.add((record.partition, origin))
    return not met


async def _behind(consumer: AIOKafkaConsumer, ends: Mapping[Any, int]) -> bool:
    return any([await consumer.position(place) < end for place, end in ends.items()])


async def _fetched(consumer: AIOKafkaConsumer, ends: Mapping[Any, int]) -> list[Any]:
    fetched = await consumer.getmany(timeout_ms=500)
    return [record for place, records in fetched.items() for record in records if record.offset < ends[place]]

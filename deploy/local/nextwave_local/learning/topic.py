"""Reads the user's own history from the topic of touchpoints, as far as the broker still keeps it; a plain reader that commits nothing."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.membership import partition_count

from nextwave_local.learning.customers import TELL_EVERY, histories_of
from nextwave_local.learning.history import History, InputError


async def read_topic(bootstrap: str, progress: Callable[[str], None]) -> list[History]:
    """Histories of all touchpoints that are there now. Raises `InputError` when there are none."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        await consumer.start()
        touchpoints = await _read(consumer, await partition_count(bootstrap, TOUCHPOINTS.name), progress)
    finally:
        await consumer.stop()
    if not touchpoints:
        raise InputError(f"the topic {TOUCHPOINTS.name} on {bootstrap} is empty: give an export, or another broker with --kafka")
    return histories_of(touchpoints, progress)


async def _read(consumer: AIOKafkaConsumer, count: int, progress: Callable[[str], None]) -> list[Touchpoint]:
    decode = msgspec.json.Decoder(Touchpoint).decode
    partitions = [TopicPartition(TOUCHPOINTS.name, number) for number in range(count)]
    if not partitions:
        return []
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    await consumer.seek_to_beginning(*partitions)
    found: list[Touchpoint] = []
    told = 0
    while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            found += [decode(record.value) for record in records if record.value is not None]
        if len(found) >= told + TELL_EVERY:
            told = len(found)
            progress(f"{told:,} touchpoints read")
    return found

"""Reads the user's own history from the topic of touchpoints, as far as the broker still keeps it; a plain reader that commits nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from nextwave_contracts.identifiers import kind_of
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.membership import partition_count

from nextwave_local.learning.history import History, InputError, history_of

SHARED = frozenset({"phone", "device_token"})
"""Kinds of identifiers that several people may have: they join no two customers."""
TELL_EVERY = 100_000


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
    return gathered(touchpoints)


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


def gathered(touchpoints: Iterable[Touchpoint]) -> list[History]:
    """Touchpoints by customer: names that were given together are one customer's, but for the kinds that people share."""
    joined: dict[str, str] = {}
    kept = list(touchpoints)
    for touchpoint in kept:
        names = _own(touchpoint)
        first = _root(joined, names[0])
        for name in names[1:]:
            joined[_root(joined, name)] = first
    by_customer: dict[str, list[Touchpoint]] = defaultdict(list)
    for touchpoint in kept:
        by_customer[_root(joined, _own(touchpoint)[0])].append(touchpoint)
    return [history_of(customer, events) for customer, events in sorted(by_customer.items())]


def _own(touchpoint: Touchpoint) -> tuple[str, ...]:
    """The identifiers that join; where all are of a kind that people share, the first stands for the customer."""
    own = tuple(name for name in touchpoint.identifiers if kind_of(name) not in SHARED)
    return own or touchpoint.identifiers[:1]


def _root(joined: dict[str, str], name: str) -> str:
    while (parent := joined.setdefault(name, name)) != name:
        joined[name] = name = joined[parent]
    return name

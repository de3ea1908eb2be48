"""The fence: one row per (processor, topic, partition) says whose turn it is, how far the input was read, and every origin mark.

It is moved on together with the outbox, in one statement: at a small flow batches are small, and each pays for every round trip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec
from nextwave_contracts.places import Origin, Place
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_runtime.database import Statement


class FencedError(Exception):
    """Another worker took this partition: nothing was written, let go."""


class Input(NamedTuple):
    """The input partition of a processor: the key of the progress row and of the outbox."""

    processor: str
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What the row says. `cursor` is the place of the last message sent (index -1: none yet at that offset)."""

    epoch: int
    next_offset: int
    cursor: Place
    joined_late: bool
    """The topic had already lost its beginning when this reader first came: the first message of each origin is taken as it is."""
    marks: dict[Origin, Place]
    last_places: dict[tuple[str, int], Place]
    """For each target (topic, partition) the place of the last message sent there."""
    duplicates: int = 0
    """Repeated messages dropped so far, counted in the transactions that dropped them."""


class OutboxChange(NamedTuple):
    """What a batch does to the outbox."""

    sequence: int
    blob: bytes | None
    """What is kept under that number; None: nothing is to be published."""
    acknowledged: int
    """Up to this number Kafka has everything."""


_ENSURE = Statement(
    "insert into progress (processor, topic, partition, next_offset, joined_late)"
    " values (:processor, :topic, :partition, cast(:beginning as bigint), cast(:beginning as bigint) > 0) on conflict do nothing"
)
_ACQUIRE = Statement(
    "update progress set epoch = epoch + 1 where processor = :processor and topic = :topic and partition = :partition"
    " returning epoch, next_offset, last_offset, last_index, joined_late, marks, last_places, duplicates"
)
_ADVANCE = Statement(
    "with kept as (insert into outbox (processor, topic, partition, sequence, messages)"
    " select :processor, :topic, :partition, :sequence, :blob where cast(:blob as bytea) is not null),"
    " dropped as (delete from outbox"
    " where processor = :processor and topic = :topic and partition = :partition and sequence <= :acknowledged)"
    " update progress set next_offset = :next_offset, last_offset = :last_offset, last_index = :last_index, marks = :marks,"
    " last_places = :last_places, duplicates = :duplicates where processor = :processor and topic = :topic and partition = :partition"
    " and epoch = :epoch and next_offset = :expected_offset and last_index = :expected_index"
)
_UNREAD = Statement(
    "select coalesce(sum(stop - coalesce(next_offset, 0)), 0) from unnest(cast(:partitions as int[]), cast(:ends as bigint[])) e(n, stop)"
    " left join progress on processor = :processor and topic = :topic and partition = n where coalesce(next_offset, 0) < stop"
)
_Stored = list[tuple[str, int, int, int]]


async def acquire(connection: AsyncConnection, key: Input, *, beginning: int) -> Progress:
    """Takes the partition over: waits for a former owner's transaction and lets no later one of its commit."""
    where = key._asdict()
    await _ENSURE.run(connection, {**where, "beginning": beginning})
    (row,) = await _ACQUIRE.rows(connection, where)
    return Progress(
        epoch=row["epoch"],
        next_offset=row["next_offset"],
        cursor=Place(row["last_offset"], row["last_index"]),
        joined_late=row["joined_late"],
        marks={Origin(p, n): Place(o, i) for p, n, o, i in _unpack(row["marks"])},
        last_places={(t, n): Place(o, i) for t, n, o, i in _unpack(row["last_places"])},
        duplicates=row["duplicates"],
    )


async def advance(connection: AsyncConnection, key: Input, before: Progress, after: Progress, outbox: OutboxChange) -> None:
    """Moves the row on and changes the outbox, in the batch's transaction. Raises `FencedError` when it is no longer ours."""
    written = await _ADVANCE.run(
        connection,
        {
            **key._asdict(),
            **outbox._asdict(),
            "epoch": before.epoch,
            "expected_offset": before.next_offset,
            "expected_index": before.cursor.number,
            "next_offset": after.next_offset,
            "last_offset": after.cursor.offset,
            "last_index": after.cursor.number,
            "marks": msgspec.msgpack.encode([(*o, *p) for o, p in after.marks.items()]),
            "duplicates": after.duplicates,
            "last_places": msgspec.msgpack.encode([(*t, *p) for t, p in after.last_places.items()]),
        },
    )
    if written != 1:
        raise FencedError(f"{key.processor} lost {key.topic}/{key.partition}")


async def unread(connection: AsyncConnection, processor: str, topic: str, ends: Mapping[int, int]) -> int:
    """How many messages before these ends (by partition) are not taken in yet; a partition that nobody ever took is unread from 0."""
    bound = {"processor": processor, "topic": topic, "partitions": list(ends), "ends": list(ends.values())}
    ((count,),) = await _UNREAD.rows(connection, bound)
    return int(count)


def moved(before: Progress, *, next_offset: int, cursor: Place, marks: dict[Origin, Place], last: dict[tuple[str, int], Place]) -> Progress:
    """The progress after a batch."""
    return replace(before, next_offset=next_offset, cursor=cursor, marks=marks, last_places=last)


def _unpack(raw: bytes) -> _Stored:
    return msgspec.msgpack.decode(raw, type=_Stored) if raw else []

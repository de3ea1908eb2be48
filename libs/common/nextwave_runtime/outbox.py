"""What a batch wants published, kept in the batch's transaction as one blob until Kafka has acknowledged all of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_runtime.database import Statement
from nextwave_runtime.progress import Input


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One Kafka record, complete: where it goes, its key, its value, its headers."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Record])
_PUT = Statement(
    "insert into outbox (processor, topic, partition, sequence, messages) values (:processor, :topic, :partition, :sequence, :messages)"
)
_DROP = Statement("delete from outbox where processor = :processor and topic = :topic and partition = :partition and sequence <= :sequence")
_PENDING = Statement(
    "select sequence, messages from outbox where processor = :processor and topic = :topic and partition = :partition order by sequence"
)


async def put(connection: AsyncConnection, key: Input, sequence: int, records: Sequence[Record]) -> None:
    """Stores a blob."""
    await _PUT.run(connection, {**key._asdict(), "sequence": sequence, "messages": _encoder.encode(records)})


async def drop(connection: AsyncConnection, key: Input, sequence: int) -> None:
    """Removes the blobs up to `sequence`, which Kafka has acknowledged."""
    await _DROP.run(connection, {**key._asdict(), "sequence": sequence})


async def pending(connection: AsyncConnection, key: Input) -> list[tuple[int, list[Record]]]:
    """The blobs that a former owner may not have published, oldest first."""
    rows = await _PENDING.rows(connection, key._asdict())
    return [(sequence, _decoder.decode(blob)) for sequence, blob in rows]

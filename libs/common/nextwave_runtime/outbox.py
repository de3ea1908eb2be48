"""What a batch wants published, kept in the batch's transaction as one blob until Kafka has acknowledged all of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

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
_PUT = text(
    "insert into outbox (processor, topic, partition, sequence, messages) values (:processor, :topic, :partition, :sequence, :messages)"
)
_DROP = text("delete from outbox where processor = :processor and topic = :topic and partition = :partition and sequence <= :sequence")
_PENDING = text(
    "select sequence, messages from outbox where processor = :processor and topic = :topic and partition = :partition order by sequence"
)


async def put(connection: AsyncConnection, key: Input, sequence: int, records: Sequence[Record]) -> None:
    """Stores a blob."""
    await connection.execute(_PUT, {**key._asdict(), "sequence": sequence, "messages": _encoder.encode(records)})


async def drop(connection: AsyncConnection, key: Input, sequence: int) -> None:
    """Removes the blobs up to `sequence`, which Kafka has acknowledged."""
    await connection.execute(_DROP, {**key._asdict(), "sequence": sequence})


async def pending(connection: AsyncConnection, key: Input) -> list[tuple[int, list[Record]]]:
    """The blobs that a former owner may not have published, oldest first."""
    rows = await connection.execute(_PENDING, key._asdict())
    return [(sequence, _decoder.decode(blob)) for sequence, blob in rows.all()]

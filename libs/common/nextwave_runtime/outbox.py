"""What a batch wants published, kept as one blob in the batch's transaction (`progress.advance`) until Kafka has acknowledged all of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_runtime.database import Statement
from nextwave_runtime.progress import Input, OutboxChange


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One Kafka record, complete: where it goes, its key, its value, its headers."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Record])
_PENDING = Statement(
    "select sequence, messages from outbox where processor = :processor and topic = :topic and partition = :partition order by sequence"
)


def change(sequence: tuple[int, int], records: Sequence[Record]) -> OutboxChange:
    """Keeps these records under the first number of `sequence`, and lets go of what is acknowledged, up to the second."""
    return OutboxChange(sequence[0], _encoder.encode(records) if records else None, sequence[1])


async def pending(connection: AsyncConnection, key: Input) -> list[tuple[int, list[Record]]]:
    """The blobs that a former owner may not have published, oldest first."""
    rows = await _PENDING.rows(connection, key._asdict())
    return [(sequence, _decoder.decode(blob)) for sequence, blob in rows]

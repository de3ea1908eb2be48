"""Timers are rows of the processor's own database: set in the transaction that decides them, fired by the partition's owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_runtime.application import Timer

_SCHEDULE = text(
    "insert into timers (partition, due_at, key, kind, payload, gate)"
    " select * from unnest(cast(:partitions as int[]), cast(:dues as timestamptz[]), cast(:keys as text[]),"
    " cast(:kinds as text[]), cast(:payloads as bytea[]), cast(:gates as text[]))"
    " on conflict (partition, due_at, key, kind) do nothing"
)
_TAKE = text(
    "with due as (select partition, due_at, key, kind, payload, gate from timers"
    " where partition = :partition and due_at <= cast(:now as timestamptz)"
    " and (gate = 'clock' or due_at <= cast(:watermark as timestamptz))"
    " order by due_at, key, kind limit :limit)"
    " delete from timers t using due where t.partition = due.partition and t.due_at = due.due_at"
    " and t.key = due.key and t.kind = due.kind"
    " returning due.partition, due.due_at, due.key, due.kind, due.payload, due.gate"
)
_NEXT = text(
    "select p.partition, t.gate, t.due_at from unnest(cast(:partitions as int[])) p(partition)"
    " cross join unnest(array['clock', 'watermark']) g(gate)"
    " cross join lateral (select gate, due_at from timers where partition = p.partition and gate = g.gate"
    " order by due_at limit 1) t"
)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


async def schedule(connection: AsyncConnection, timers: Sequence[Timer]) -> None:
    """Sets timers, within the caller's transaction. The same (partition, due, key, kind) again changes nothing."""
    if not timers:
        return
    await connection.execute(
        _SCHEDULE,
        {
            "partitions": [t.partition for t in timers],
            "dues": [t.due_at for t in timers],
            "keys": [t.key for t in timers],
            "kinds": [t.kind for t in timers],
            "payloads": [t.payload for t in timers],
            "gates": [t.gate for t in timers],
        },
    )


async def take_due(connection: AsyncConnection, partition: int, *, now: datetime, watermark: datetime | None, limit: int) -> list[Timer]:
    """Takes up to `limit` due timers of a partition out of the table, in due order, within the caller's transaction."""
    bound = {"partition": partition, "now": now, "watermark": watermark or EPOCH, "limit": limit}
    rows = (await connection.execute(_TAKE, bound)).all()
    return sorted((Timer(*row) for row in rows), key=lambda t: (t.due_at, t.key, t.kind))


async def next_due(connection: AsyncConnection, partitions: Sequence[int]) -> dict[tuple[int, str], datetime]:
    """For each (partition, gate) the earliest pending instant; partitions without timers are left out."""
    rows = (await connection.execute(_NEXT, {"partitions": list(partitions)})).all()
    return {(partition, gate): due_at for partition, gate, due_at in rows}

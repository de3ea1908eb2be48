"""Timers are rows of the processor's own database: set in the transaction that decides them, fired by the partition's owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_runtime.application import Gate, Timer

_SCHEDULE = text(
    "insert into timers (partition, due_at, key, kind, payload, gate)"
    " select * from unnest(cast(:partitions as int[]), cast(:dues as timestamptz[]), cast(:keys as text[]),"
    " cast(:kinds as text[]), cast(:payloads as bytea[]), cast(:gates as text[]))"
    " on conflict (partition, due_at, key, kind) do nothing"
)
_TAKE = text(
    "with due as (select t.* from (values ('at_once', cast('infinity' as timestamptz)), ('clock', cast(:clock as timestamptz)),"
    " ('watermark', cast(:watermark as timestamptz))) g(gate, until)"
    " cross join lateral (select partition, due_at, key, kind, payload, gate from timers"
    " where partition = :partition and gate = g.gate and due_at <= g.until order by due_at, key, kind limit :limit) t"
    " order by t.due_at, t.key, t.kind limit :limit)"
    " delete from timers t using due where t.partition = due.partition and t.due_at = due.due_at"
    " and t.key = due.key and t.kind = due.kind"
    " returning due.partition, due.due_at, due.key, due.kind, due.payload, due.gate"
)
_NEXT = text(
    "select p.partition, t.gate, t.due_at from unnest(cast(:partitions as int[])) p(partition)"
    " cross join unnest(array['at_once', 'clock', 'watermark']) g(gate)"
    " cross join lateral (select gate, due_at from timers where partition = p.partition and gate = g.gate"
    " order by due_at limit 1) t"
)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Gates(NamedTuple):
    """Up to which instant timers fire by each gate; None: they wait. What is to happen `at_once` waits for no clock."""

    clock: datetime | None
    watermark: datetime | None

    def open_for(self, gate: Gate, due_at: datetime) -> bool:
        """Whether such a timer fires."""
        until = self.clock if gate == "clock" else self.watermark
        return gate == "at_once" or (until is not None and due_at <= until)


def gates(now: datetime, watermark: datetime | None, *, sure: bool) -> Gates:
    """The gates at `now`: no watermark is ahead of it, and the clock's is closed while the clock is not sure."""
    return Gates(now if sure else None, watermark and min(watermark, now))


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


async def take_due(connection: AsyncConnection, partition: int, opened: Gates, limit: int) -> list[Timer]:
    """Takes up to `limit` due timers of a partition out of the table, in due order, within the caller's transaction."""
    bound = {"partition": partition, "clock": opened.clock or EPOCH, "watermark": opened.watermark or EPOCH, "limit": limit}
    rows = (await connection.execute(_TAKE, bound)).all()
    return sorted((Timer(*row) for row in rows), key=lambda t: (t.due_at, t.key, t.kind))


async def next_due(connection: AsyncConnection, partitions: Sequence[int]) -> dict[tuple[int, Gate], datetime]:
    """For each (partition, gate) the earliest pending instant; partitions without timers are left out."""
    rows = (await connection.execute(_NEXT, {"partitions": list(partitions)})).all()
    return {(partition, gate): due_at for partition, gate, due_at in rows}

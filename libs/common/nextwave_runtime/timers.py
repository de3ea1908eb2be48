"""Timers are rows of the processor's own database: set in the transaction that decides them, fired by the partition's owner."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_runtime.application import Gate, Timer
from nextwave_runtime.database import Statement

_SCHEDULE = Statement(
    "insert into timers (partition, due_at, key, kind, payload, gate)"
    " select * from unnest(cast(:partitions as int[]), cast(:dues as timestamptz[]), cast(:keys as text[]),"
    " cast(:kinds as text[]), cast(:payloads as bytea[]), cast(:gates as text[]))"
    " on conflict (partition, due_at, key, kind) do nothing"
)
_TAKE = Statement(
    "with due as (select t.* from (values ('clock', false, cast(:clock as timestamptz)),"
    " ('watermark', false, cast(:watermark as timestamptz)), ('clock', true, cast(:handed_over as timestamptz))) g(gate, by_kind, until)"
    " cross join lateral (select partition, due_at, key, kind, payload, gate from timers"
    " where partition = :partition and gate = g.gate and due_at <= g.until"
    " and (not g.by_kind or kind = any(cast(:kinds as text[]))) order by due_at, key, kind limit cast(:limit as bigint)) t"
    " order by t.due_at, t.key, t.kind limit cast(:limit as bigint))"
    " delete from timers t using due where t.partition = due.partition and t.due_at = due.due_at"
    " and t.key = due.key and t.kind = due.kind"
    " returning due.partition, due.due_at, due.key, due.kind, due.payload, due.gate"
)
_NEXT = Statement(
    "select p.partition, g.gate, t.due_at from unnest(cast(:partitions as int[])) p(partition)"
    " cross join unnest(array['clock', 'watermark']) g(gate)"
    " cross join lateral (select due_at from timers where partition = p.partition and gate = g.gate"
    " order by due_at limit 1) t"
)
_NEXT_HANDED_OVER = Statement(
    "select p.partition, t.due_at from unnest(cast(:partitions as int[])) p(partition)"
    " cross join lateral (select due_at from timers where partition = p.partition and gate = 'clock'"
    " and kind = any(cast(:kinds as text[])) order by due_at limit 1) t"
)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
LAST = datetime.fromisoformat("9999-12-31T00:00:00+00:00")
Wait = Gate | Literal["handed_over"]
"""What a pending timer waits for: its gate, or nothing, as it is handed over while the clock is not sure."""


class Gates(NamedTuple):
    """Up to which instant timers fire by each gate; None: they wait. Kinds that are `handed_over` fire although the clock's is closed."""

    clock: datetime | None
    watermark: datetime | None
    handed_over: AbstractSet[str] = frozenset()

    def open_for(self, wait: Wait, due_at: datetime) -> bool:
        """Whether such a timer fires."""
        if wait == "handed_over":
            return bool(self.handed_over)
        until = self.clock if wait == "clock" else self.watermark
        return until is not None and due_at <= until


def gates(now: datetime, watermark: datetime | None, *, sure: bool, hands_over: AbstractSet[str] = frozenset()) -> Gates:
    """The gates at `now`: no watermark is ahead of it, and while the clock is not sure its own is closed but to kinds that hand over.

    Those then fire whenever they are due, since whoever set them may have believed another clock.
    """
    return Gates(now, watermark and min(watermark, now)) if sure else Gates(None, watermark and min(watermark, now), hands_over)


async def schedule(connection: AsyncConnection, timers: Sequence[Timer]) -> None:
    """Sets timers, within the caller's transaction. The same (partition, due, key, kind) again changes nothing."""
    if not timers:
        return
    await _SCHEDULE.run(
        connection,
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
    bound = {
        "partition": partition,
        "clock": opened.clock or EPOCH,
        "watermark": opened.watermark or EPOCH,
        "handed_over": LAST if opened.handed_over else EPOCH,
        "kinds": list(opened.handed_over),
        "limit": limit,
    }
    rows = await _TAKE.rows(connection, bound)
    return sorted((Timer(*row) for row in rows), key=lambda t: (t.due_at, t.key, t.kind))


async def next_due(
    connection: AsyncConnection, partitions: Sequence[int], handed_over: AbstractSet[str] = frozenset()
) -> dict[tuple[int, Wait], datetime]:
    """For each (partition, gate) the earliest pending instant, and that of the kinds `handed_over`; what has no timers is left out."""
    bound = {"partitions": list(partitions)}
    due: dict[tuple[int, Wait], datetime] = {(n, gate): at for n, gate, at in await _NEXT.rows(connection, bound)}
    if handed_over:
        rows = await _NEXT_HANDED_OVER.rows(connection, bound | {"kinds": list(handed_over)})
        due.update({(n, "handed_over"): at for n, at in rows})
    return due

"""The tables that every processor needs, for a service's first Alembic migration; and time partitions for append-only tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

PROCESSOR_TABLES: tuple[str, ...] = (
    "create table progress (processor text not null, topic text not null, partition int not null, epoch bigint not null default 0,"
    " next_offset bigint not null default 0, last_offset bigint not null default -1, last_index int not null default -1,"
    " joined_late boolean not null default false, duplicates bigint not null default 0,"
    " marks bytea not null default '', last_places bytea not null default '',"
    " primary key (processor, topic, partition)) with (fillfactor = 50)",
    "create table outbox (processor text not null, topic text not null, partition int not null, sequence bigint not null,"
    " messages bytea not null, primary key (processor, topic, partition, sequence))",
    "alter table outbox alter column messages set storage external",
    "create table seen (day date not null, key bytea not null, primary key (day, key)) partition by range (day)",
    "create table seen_default partition of seen default",
    "create table timers (partition int not null, due_at timestamptz not null, key text not null, kind text not null,"
    " payload bytea not null default '', gate text not null default 'clock',"
    " primary key (partition, due_at, key, kind)) with (fillfactor = 90)",
    "create index timers_by_gate on timers (partition, gate, due_at)",
)
"""DDL of `progress` (the fence), `outbox`, `seen` (30 days of ids born at doors) and `timers`."""


class Operations(Protocol):
    """The part of Alembic's `op` that is needed here."""

    def execute(self, sqltext: str) -> None: ...


def create_processor_tables(op: Operations) -> None:
    """Creates the processor's tables; call it in the first migration of a service that runs a processor."""
    for statement in PROCESSOR_TABLES:
        op.execute(statement)


async def ensure_days(connection: AsyncConnection, table: str, *, around: datetime, ahead_days: int = 2, keep_days: int = 30) -> None:
    """Makes the day partitions of `table` from `around` on, and drops those older than `keep_days`. Names are `table_yyyymmdd`."""
    today = around.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (today + timedelta(days=n) for n in range(ahead_days + 1)):
        name = f"{table}_{day:%Y%m%d}"
        await connection.execute(
            text(
                f"create table if not exists {name} partition of {table}"
                f" for values from ('{day:%Y-%m-%d}') to ('{day + timedelta(days=1):%Y-%m-%d}')"
            )
        )
    rows = await connection.execute(
        text("select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = cast(:table as regclass)"),
        {"table": table},
    )
    oldest = f"{table}_{today - timedelta(days=keep_days):%Y%m%d}"
    for (name,) in rows.all():
        if name != f"{table}_default" and name < oldest:
            await connection.execute(text(f"drop table {name}"))

"""The tables that every processor needs, for a service's first Alembic migration; and time partitions for append-only tables."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_runtime.database import Database

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


_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(7203917)")
_PARTITIONS = text("select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = cast(:table as regclass)")


class Operations(Protocol):
    """The part of Alembic's `op` that is needed here."""

    def execute(self, sqltext: str) -> None: ...


def create_processor_tables(op: Operations) -> None:
    """Creates the processor's tables; call it in the first migration of a service that runs a processor."""
    for statement in PROCESSOR_TABLES:
        op.execute(statement)


async def keep_days(database: Database, table: str, *, today: date, keep_days: int = 30) -> None:
    """Makes the partitions of `table` for today and the next two days, and drops those older than `keep_days`.

    Names are `table_yyyymmdd`. Rows that came before their partition was made are moved out of the default one. Each day is a
    transaction of its own, and several replicas may do this at once.
    """
    for day in (today + timedelta(days=n) for n in range(3)):
        async with database.transaction() as connection:
            await _make_day(connection, table, day)
    async with database.transaction() as connection:
        await connection.execute(_ONE_AT_A_TIME)
        oldest = f"{table}_{today - timedelta(days=keep_days):%Y%m%d}"
        for name in await _partitions(connection, table):
            if name != f"{table}_default" and name < oldest:
                await connection.execute(text(f"drop table {name}"))


async def _make_day(connection: AsyncConnection, table: str, day: date) -> None:
    name = f"{table}_{day:%Y%m%d}"
    await connection.execute(_ONE_AT_A_TIME)
    if name in await _partitions(connection, table):
        return
    bounds = f"('{day:%Y-%m-%d}') to ('{day + timedelta(days=1):%Y-%m-%d}')"
    for statement in (
        f"lock table {table}_default in access exclusive mode",
        f"create table {name} (like {table} including all)",
        f"with early as (delete from {table}_default where day = '{day:%Y-%m-%d}' returning *)"  # noqa: S608  (names are ours)
        f" insert into {name} select * from early",
        f"alter table {table} attach partition {name} for values from {bounds}",
    ):
        await connection.execute(text(statement))


async def _partitions(connection: AsyncConnection, table: str) -> list[str]:
    rows = await connection.execute(_PARTITIONS, {"table": table})
    return [name for (name,) in rows.all()]

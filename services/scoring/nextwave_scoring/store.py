"""The processor's side of scoring's database: what a batch locks and loads, and what it writes back, in a handful of statements."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from nextwave_runtime import timers
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_scoring.customer import Customer
from nextwave_scoring.unit import Unit

CHAIN_MAX = 16
"""Rounds of following customers that were absorbed while we waited for their lock."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Customer).decode

_NAMES = text("select name, customer_id from identifiers where name = any(cast(:names as text[]))")
_NEW_NAMES = text(
    "insert into identifiers (name) select name from unnest(cast(:names as text[])) name order by name on conflict (name) do nothing"
)
_LOCK_NAMES = text("select name, customer_id from identifiers where name = any(cast(:names as text[])) order by name for update")
_POINTERS = text(
    "with recursive way (id, merged_into) as ("
    " select id, merged_into from customers where id = any(cast(:ids as uuid[]))"
    " union select c.id, c.merged_into from customers c join way on c.id = way.merged_into)"
    " select cast(id as text), cast(merged_into as text) from way"
)
_CUSTOMERS = text(
    "select cast(id as text), cast(merged_into as text), state from customers where id = any(cast(:ids as uuid[])) order by id for update"
)
_BIND = text(
    "update identifiers i set customer_id = b.customer_id"
    " from unnest(cast(:names as text[]), cast(:ids as uuid[])) b(name, customer_id) where i.name = b.name"
)
_WRITE = text(
    "insert into customers (id, band, stage, state)"
    " select * from unnest(cast(:ids as uuid[]), cast(:bands as text[]), cast(:stages as text[]), cast(:states as bytea[]))"
    " on conflict (id) do update set band = excluded.band, stage = excluded.stage, state = excluded.state"
)
_ABSORB = text(
    "update customers c set merged_into = a.into_id, state = ''"
    " from unnest(cast(:ids as uuid[]), cast(:into as uuid[])) a(id, into_id) where c.id = a.id"
)
_ABSORB_NEW = text(
    "insert into customers (id, merged_into, band, stage, state)"
    " select id, into_id, '', '', '' from unnest(cast(:ids as uuid[]), cast(:into as uuid[])) a(id, into_id)"
)
_ENTRIES = text(
    "insert into timeline (customer_id, at, source, id, type, data)"
    " select * from unnest(cast(:customers as uuid[]), cast(:ats as timestamptz[]), cast(:sources as text[]),"
    " cast(:ids as text[]), cast(:types as text[]), cast(:datas as bytea[]))"
)
_INTAKE = text(
    "insert into intake (partition, source, subject, touchpoints)"
    " select :partition, * from unnest(cast(:sources as text[]), cast(:subjects as text[]), cast(:counts as bigint[]))"
    " on conflict (partition, source, subject) do update set touchpoints = intake.touchpoints + excluded.touchpoints"
)


async def load_names(connection: AsyncConnection, unit: Unit, names: Collection[str]) -> None:
    """Whose the identifiers are. Those of nobody are inserted and locked in order, so that two partitions cannot both bind one."""
    if not names:
        return
    rows = await connection.execute(_NAMES, {"names": list(names)})
    unit.bindings.update({name: str(customer) for name, customer in rows.all() if customer is not None})
    new = sorted(name for name in names if name not in unit.bindings)
    if not new:
        return
    await connection.execute(_NEW_NAMES, {"names": new})
    rows = await connection.execute(_LOCK_NAMES, {"names": new})
    unit.bindings.update({name: None if customer is None else str(customer) for name, customer in rows.all()})


async def load_customers(connection: AsyncConnection, unit: Unit, ids: Collection[str]) -> None:
    """The customers that these ids and the loaded identifiers mean now, locked in id order. Ids that are no UUID mean nobody."""
    wanted = {bound for bound in unit.bindings.values() if bound is not None} | {found for given in ids if (found := _uuid(given))}
    if not wanted:
        return
    rows = await connection.execute(_POINTERS, {"ids": sorted(wanted)})
    ends = {str(customer) for customer, into in rows.all() if _point(unit, customer, into)}
    for _ in range(CHAIN_MAX):
        rows = await connection.execute(_CUSTOMERS, {"ids": sorted(ends)})
        ends = set()
        for customer, into, state in rows.all():
            if _point(unit, customer, into):
                unit.customers[customer] = _decode(state)
                unit.stored.add(customer)
            else:
                ends.add(into)
        if not ends:
            return
    raise RuntimeError("customers were absorbed faster than they could be followed")


async def save(connection: AsyncConnection, unit: Unit) -> None:
    """Writes what the batch changed, each table in key order."""
    changed = sorted(unit.changed)
    customers = [unit.customers[i] for i in changed]
    if changed:
        bound = {
            "ids": changed,
            "bands": [c.standing.band for c in customers],
            "stages": [c.standing.stage for c in customers],
            "states": [_encode(c) for c in customers],
        }
        await connection.execute(_WRITE, bound)
    await _save_absorbed(connection, unit)
    if unit.bound:
        names = sorted(unit.bound)
        await connection.execute(_BIND, {"names": names, "ids": [unit.bound[n] for n in names]})
    await _save_entries(connection, unit)
    await timers.schedule(connection, unit.timers)


async def _save_absorbed(connection: AsyncConnection, unit: Unit) -> None:
    for statement, ids in ((_ABSORB, unit.absorbed & unit.stored), (_ABSORB_NEW, unit.absorbed - unit.stored)):
        if ids:
            ordered = sorted(ids)
            await connection.execute(statement, {"ids": ordered, "into": [unit.pointers[i] for i in ordered]})


async def _save_entries(connection: AsyncConnection, unit: Unit) -> None:
    entries = unit.entries
    if entries:
        bound = {
            "customers": [e.customer_id for e in entries],
            "ats": [e.at for e in entries],
            "sources": [e.source for e in entries],
            "ids": [e.id for e in entries],
            "types": [e.type for e in entries],
            "datas": [e.data for e in entries],
        }
        await connection.execute(_ENTRIES, bound)
    if unit.intake:
        keys = sorted(unit.intake)
        counts = {"sources": [k[0] for k in keys], "subjects": [k[1] for k in keys], "counts": [unit.intake[k] for k in keys]}
        await connection.execute(_INTAKE, {"partition": unit.partition, **counts})


def _point(unit: Unit, customer: str, into: str | None) -> bool:
    """Notes where an absorbed customer went; True when it is not absorbed."""
    if into is not None:
        unit.pointers[customer] = into
    return into is None


def _uuid(given: str) -> str:
    """The normal form of a customer id, or nothing."""
    hexadecimal = given.replace("-", "").lower()
    if len(hexadecimal) != 32 or len(given) not in {32, 36} or set(hexadecimal) - set("0123456789abcdef"):
        return ""
    h = hexadecimal
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"

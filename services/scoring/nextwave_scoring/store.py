"""The processor's side of scoring's database: what a batch locks and loads, and what it writes back, in a handful of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from nextwave_contracts.topics import partition_of
from nextwave_runtime import timers
from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_scoring.cohorts import cohort_of
from nextwave_scoring.customer import Customer
from nextwave_scoring.rejudging import PAGE_MAX, Page
from nextwave_scoring.separation import LINES_MAX
from nextwave_scoring.unit import Entry, Unit

CHAIN_MAX = 16
"""Rounds of following customers that were absorbed, separated or began to share a name while we waited for their lock."""
_LEAST = "00000000-0000-0000-0000-000000000000"
_encode = msgspec.msgpack.Encoder(order="deterministic").encode  # equal profiles are equal bytes
_decode = msgspec.msgpack.Decoder(Customer).decode

_NAMES = Statement("select name, customer_id from identifiers where name = any(cast(:names as text[]))")
_NEW_NAMES = Statement(
    "insert into identifiers (name) select name from unnest(cast(:names as text[])) name order by name on conflict (name) do nothing"
)
_LOCK_NAMES = Statement("select name, customer_id from identifiers where name = any(cast(:names as text[])) order by name for update")
_CUSTOMERS = Statement(
    "with recursive way (id, merged_into) as ("
    " select id, merged_into from customers where id = any(cast(:ids as uuid[]))"
    " union select c.id, c.merged_into from customers c join way on c.id = way.merged_into),"
    " locked as (select id, merged_into, state from customers"
    " where id = any(array(select id from way where merged_into is null)) order by id for update)"
    " select cast(id as text), cast(merged_into as text), state from locked"
    " union all select cast(id as text), cast(merged_into as text), null from way where merged_into is not null"
)
_PAGE = Statement("select cast(id as text) from customers where id > cast(:after as uuid) order by id limit cast(:limit as bigint)")
_JUDGES = Statement(
    "insert into judged_by as j (judge) values (:judge) on conflict (place) do update set judge = excluded.judge"
    " where j.judge <> excluded.judge"
)
_BIND = Statement(
    "update identifiers i set customer_id = b.customer_id"
    " from unnest(cast(:names as text[]), cast(:ids as uuid[])) b(name, customer_id) where i.name = b.name"
)
_WRITE = Statement(
    "with lines as (insert into timeline (customer_id, at, source, id, type, data, identifiers, occurred_at)"
    " select * from unnest(cast(:of as uuid[]), cast(:ats as timestamptz[]), cast(:sources as text[]), cast(:ids as text[]),"
    " cast(:types as text[]), cast(:datas as bytea[]), cast(:identifiers as text[]), cast(:occurred_ats as timestamptz[]))),"
    " counted as (insert into intake (partition, source, subject, touchpoints)"
    " select cast(:partition as int), * from unnest(cast(:prefixes as text[]), cast(:subjects as text[]), cast(:counts as bigint[]))"
    " on conflict (partition, source, subject) do update set touchpoints = intake.touchpoints + excluded.touchpoints)"
    " insert into customers (id, band, stage, cell, pattern, cause, cohort, band_since, revenue, margin, acquisition,"
    " direct, indirect, state) select * from unnest(cast(:id as uuid[]), cast(:band as text[]), cast(:stage as text[]),"
    " cast(:cell as text[]),"
    " cast(:pattern as text[]), cast(:cause as text[]), cast(:cohort as text[]), cast(:band_since as bigint[]),"
    " cast(:revenue as bigint[]), cast(:margin as bigint[]), cast(:acquisition as bigint[]), cast(:direct as bigint[]),"
    " cast(:indirect as bigint[]), cast(:state as bytea[]))"
    " on conflict (id) do update set band = excluded.band, stage = excluded.stage, cell = excluded.cell, pattern = excluded.pattern,"
    " cause = excluded.cause, cohort = excluded.cohort, band_since = excluded.band_since, revenue = excluded.revenue,"
    " margin = excluded.margin, acquisition = excluded.acquisition, direct = excluded.direct, indirect = excluded.indirect,"
    " state = excluded.state where customers.merged_into is null"
)
_ABSORB = Statement(
    "update customers c set merged_into = a.into_id, state = ''"
    " from unnest(cast(:ids as uuid[]), cast(:into as uuid[])) a(id, into_id) where c.id = a.id"
)
_ABSORB_NEW = Statement(
    "insert into customers (id, merged_into, band, stage, state)"
    " select id, into_id, '', '', '' from unnest(cast(:ids as uuid[]), cast(:into as uuid[])) a(id, into_id)"
)
_LINES = Statement(
    "with recursive whole (id) as ("
    " select cast(:id as uuid) union select c.id from customers c join whole on c.merged_into = whole.id)"
    " select cast(customer_id as text) customer_id, at, source, id, type, data, identifiers, occurred_at"
    " from timeline where customer_id in (select id from whole) limit :limit"
)
_MOVE = Statement(
    "update timeline t set customer_id = m.into_id"
    " from unnest(cast(:customers as uuid[]), cast(:ats as timestamptz[]), cast(:sources as text[]), cast(:ids as text[]),"
    " cast(:into as uuid[])) m(customer_id, at, source, id, into_id)"
    " where t.customer_id = m.customer_id and t.at = m.at and t.source = m.source and t.id = m.id"
)


async def load_names(connection: AsyncConnection, unit: Unit, names: Collection[str]) -> None:
    """Whose the identifiers are. Those of nobody are inserted and locked in order, so that two partitions cannot both bind one."""
    if not names:
        return
    rows = await _NAMES.rows(connection, {"names": list(names)})
    unit.bindings.update({name: str(customer) for name, customer in rows if customer is not None})
    new = sorted(name for name in names if name not in unit.bindings)
    if not new:
        return
    await _NEW_NAMES.run(connection, {"names": new})
    rows = await _LOCK_NAMES.rows(connection, {"names": new})
    unit.bindings.update({name: None if customer is None else str(customer) for name, customer in rows})


async def load_customers(connection: AsyncConnection, unit: Unit, ids: Collection[str]) -> None:
    """The customers that these ids and the loaded identifiers mean now, locked in id order. Ids that are no UUID mean nobody.

    With whoever shares a name, everybody else who does.
    """
    wanted = {found for given in ids if (found := _uuid(given))} | _bound(unit)
    looked_for: set[str] = set()
    for _ in range(CHAIN_MAX):
        if not wanted:
            return
        await _load(connection, unit, wanted)
        looked_for |= wanted
        doubtful = unit.doubtful()
        if doubtful:
            rows = await _NAMES.rows(connection, {"names": doubtful})
            unit.bindings.update({name: str(customer) for name, customer in rows if customer is not None})
        wanted = {i for i in (_bound(unit) | unit.sharers()) - looked_for if unit.root(i) is None}
    raise RuntimeError("names were given to other customers faster than they could be followed")


async def load_timelines(connection: AsyncConnection, unit: Unit, names: Collection[str]) -> None:
    """Everything that was taken in of the customers of these names, unless it is more than `LINES_MAX` lines."""
    for root in sorted({root for name in names if (root := unit.root_of_name(name))}):
        rows = await _LINES.rows(connection, {"id": root, "limit": LINES_MAX + 1})
        if len(rows) <= LINES_MAX:
            unit.lines[root] = [_entry(row) for row in rows]


async def load_page(connection: AsyncConnection, unit: Unit, after: str) -> Page:
    """The next page of all customers after an id, empty for the first page; those that were absorbed are there too."""
    ids = [found for (found,) in await _PAGE.rows(connection, {"after": after or _LEAST, "limit": PAGE_MAX})]
    own = [found for found in ids if partition_of(found.encode(), unit.partitions) == unit.partition]
    return Page(own, ids[-1] if len(ids) == PAGE_MAX else "")


async def judges_changed(connection: AsyncConnection, judge: str) -> bool:
    """Remembers what judges customers now; whether it was something else before."""
    return await _JUDGES.run(connection, {"judge": judge}) > 0


async def save(connection: AsyncConnection, unit: Unit) -> None:
    """Writes what the batch changed, each table in key order. What is new on the timeline comes after what is moved on it."""
    await _save_absorbed(connection, unit)
    if unit.bound:
        names = sorted(unit.bound)
        await _BIND.run(connection, {"names": names, "ids": [unit.bound[n] for n in names]})
    await _save_moved(connection, unit)
    bound = _rows(unit) | _lines(unit.entries) | _intake(unit)
    if await _WRITE.run(connection, bound) < len(unit.changed):
        raise RuntimeError("a customer was to be written who was absorbed: it is nobody of its own any more")
    await timers.schedule(connection, unit.timers)


async def _save_absorbed(connection: AsyncConnection, unit: Unit) -> None:
    for statement, ids in ((_ABSORB, unit.absorbed & unit.stored), (_ABSORB_NEW, unit.absorbed - unit.stored)):
        if ids:
            ordered = sorted(ids)
            await statement.run(connection, {"ids": ordered, "into": [unit.pointers[i] for i in ordered]})


async def _load(connection: AsyncConnection, unit: Unit, wanted: Collection[str]) -> None:
    """Who was absorbed while we waited for the lock leads on to somebody who is not locked yet."""
    for _ in range(CHAIN_MAX):
        if not wanted:
            return
        rows = await _CUSTOMERS.rows(connection, {"ids": sorted(wanted)})
        for customer, into, state in rows:
            if into is not None:
                unit.pointers[customer] = into
            elif customer not in unit.customers:
                unit.customers[customer] = _decode(state)
                unit.stored.add(customer)
        wanted = {into for _, into, _ in rows if into is not None and unit.root(into) is None}
    raise RuntimeError("customers were absorbed faster than they could be followed")


async def _save_moved(connection: AsyncConnection, unit: Unit) -> None:
    lines = list(unit.moved)
    if lines:
        bound = {
            "customers": [line.customer_id for line in lines],
            "ats": [line.at for line in lines],
            "sources": [line.source for line in lines],
            "ids": [line.id for line in lines],
            "into": [unit.moved[line] for line in lines],
        }
        await _MOVE.run(connection, bound)


def _rows(unit: Unit) -> dict[str, Any]:
    """Customers' rows: the state, and what follows from it and is asked of many."""
    changed = sorted(unit.changed)
    customers = [unit.customers[i] for i in changed]
    standings, profiles = [c.standing for c in customers], [c.profile for c in customers]
    return {
        "id": changed,
        "band": [s.band for s in standings],
        "stage": [s.stage for s in standings],
        "cell": [s.cell for s in standings],
        "pattern": [s.pattern for s in standings],
        "cause": [s.cause for s in standings],
        "cohort": [cohort_of(p.first_order_at, p.first_at) for p in profiles],
        "band_since": [s.lost_at or s.since for s in standings],
        "revenue": [s.economics.revenue for s in standings],
        "margin": [s.economics.margin for s in standings],
        "acquisition": [s.economics.acquisition for s in standings],
        "direct": [s.economics.direct for s in standings],
        "indirect": [s.economics.indirect for s in standings],
        "state": [_encode(c) for c in customers],
    }


def _lines(entries: Sequence[Entry]) -> dict[str, Any]:
    return {
        "of": [e.customer_id for e in entries],
        "ats": [e.at for e in entries],
        "sources": [e.source for e in entries],
        "ids": [e.id for e in entries],
        "types": [e.type for e in entries],
        "datas": [e.data for e in entries],
        "identifiers": [None if e.identifiers is None else "\n".join(e.identifiers) for e in entries],
        "occurred_ats": [e.occurred_at for e in entries],
    }


def _intake(unit: Unit) -> dict[str, Any]:
    keys = sorted(unit.intake)
    counts = [unit.intake[key] for key in keys]
    return {"partition": unit.partition, "prefixes": [k[0] for k in keys], "subjects": [k[1] for k in keys], "counts": counts}


def _bound(unit: Unit) -> set[str]:
    return {bound for bound in unit.bindings.values() if bound is not None}


def _entry(row: Any) -> Entry:
    """A line of a timeline, as `_LINES` reads it."""
    customer_id, at, source, line, kind, data, identifiers, occurred_at = row
    names = None if identifiers is None else tuple(identifiers.split("\n")) if identifiers else ()
    return Entry(customer_id, at, source, line, kind, data, names, occurred_at)


def _uuid(given: str) -> str:
    """The normal form of a customer id, or nothing."""
    hexadecimal = given.replace("-", "").lower()
    if len(hexadecimal) != 32 or len(given) not in {32, 36} or set(hexadecimal) - set("0123456789abcdef"):
        return ""
    h = hexadecimal
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"

"""The readers' side of scoring's database: one customer, their timeline with everything absorbed, and exact counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from nextwave_contracts.customers import Cause
from nextwave_contracts.topics import TOUCHPOINTS
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_scoring.causes import Loss, judge_loss
from nextwave_scoring.cohorts import Row
from nextwave_scoring.customer import Customer
from nextwave_scoring.economics import UnitEconomics

_BY_ID = text(
    "with recursive way (id, merged_into) as ("
    " select id, merged_into from customers where id = :id"
    " union select c.id, c.merged_into from customers c join way on c.id = way.merged_into)"
    " select cast(c.id as text), c.state from customers c join way on way.id = c.id where c.merged_into is null"
)
_BY_NAME = text("select customer_id from identifiers where name = :name and customer_id is not null")
_TIMELINE = text(
    "with recursive whole (id) as ("
    " select cast(:id as uuid) union select c.id from customers c join whole on c.merged_into = whole.id)"
    " select at, coalesce(occurred_at, at) occurred_at, source, id, type, data from timeline where customer_id in (select id from whole)"
    " and (cast(:at as timestamptz) is null or (at, coalesce(occurred_at, at), source, id) < (:at, :occurred_at, :source, :last))"
    " order by at desc, 2 desc, source desc, id desc limit :limit"
)
_CUSTOMERS = text("select band, stage, count(*) from customers where merged_into is null and band <> '' group by band, stage")
_ROWS = text(
    "select cohort, band, stage, cell, pattern, coalesce(nullif(cause, ''), 'unknown') cause, count(*) customers, sum(revenue) revenue,"
    " sum(margin) margin, sum(acquisition) acquisition, sum(direct) direct, sum(indirect) indirect"
    " from customers where merged_into is null and band <> '' group by 1, 2, 3, 4, 5, 6"
)
_LOSSES = text(
    "select to_char(to_timestamp(band_since / 1000000) at time zone 'UTC', 'YYYY-MM') as month,"
    " coalesce(nullif(cause, ''), 'unknown') as cause, count(*) from customers"
    " where merged_into is null and band = 'lost' and band_since > 0 group by 1, 2"
)
_INTAKE = text("select source, subject, sum(touchpoints) from intake group by source, subject order by source, subject")
_PROGRESS = text("select coalesce(sum(duplicates), 0) from progress where topic = :topic")
_decode = msgspec.msgpack.Decoder(Customer).decode


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One touchpoint or outcome of a customer's timeline. `at`: when it was received; `occurred_at`: when it happened."""

    at: datetime
    occurred_at: datetime
    source: str
    id: str
    type: str
    data: dict[str, Any]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A place in a timeline: after this line."""

    at: datetime
    occurred_at: datetime
    source: str
    id: str


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Exact counts. `touchpoints` is by source and subject; `duplicates_dropped` counts repeated touchpoints."""

    customers: int
    touchpoints_taken_in: int
    touchpoints: dict[str, dict[str, int]]
    duplicates_dropped: int
    bands: dict[str, int]
    stages: dict[str, int]


async def find_customer(connection: AsyncConnection, customer_id: str) -> tuple[str, Customer] | None:
    """The customer that an id means now (absorbed ones lead to their survivor)."""
    row = (await connection.execute(_BY_ID, {"id": customer_id})).first()
    return (row[0], _decode(row[1])) if row else None


async def find_id(connection: AsyncConnection, name: str) -> str | None:
    """The customer id that an identifier is bound to; it may have been absorbed since."""
    row = (await connection.execute(_BY_NAME, {"name": name})).first()
    return str(row[0]) if row else None


async def read_timeline(connection: AsyncConnection, customer_id: str, after: Place | None, limit: int) -> list[Line]:
    """What was received last comes first, and of what was received at once what happened last; up to `limit`, after a place."""
    bound = {
        "id": customer_id,
        "at": after.at if after else None,
        "occurred_at": after.occurred_at if after else None,
        "source": after.source if after else "",
        "last": after.id if after else "",
        "limit": limit,
    }
    rows = (await connection.execute(_TIMELINE, bound)).mappings().all()
    return [Line(**{**row, "data": msgspec.json.decode(row["data"])}) for row in rows]


async def read_rows(connection: AsyncConnection) -> list[Row]:
    """All customers, those that are alike in one row. A whole read of the table: for people, not for machines."""
    rows = []
    for found in (await connection.execute(_ROWS)).mappings():
        sums = UnitEconomics(**{name: int(found[name]) for name in UnitEconomics.__struct_fields__})
        rows.append(Row(economics=sums, **{name: found[name] for name in ("cohort", "band", "stage", "cell", "pattern", "cause")}))
    return rows


async def read_losses(connection: AsyncConnection, months: int) -> list[tuple[str, Loss]]:
    """The newest `months` in which customers were lost, newest first."""
    lost: dict[str, dict[Cause, int]] = {}
    for month, cause, customers in (await connection.execute(_LOSSES)).all():
        lost.setdefault(month, {})[cause] = customers
    return [(month, judge_loss(causes)) for month, causes in sorted(lost.items(), reverse=True)[:months]]


async def count(connection: AsyncConnection) -> Statistics:
    """Counts of everything, as of one snapshot per statement."""
    bands: dict[str, int] = {}
    stages: dict[str, int] = {}
    for band, stage, customers in (await connection.execute(_CUSTOMERS)).all():
        bands[band] = bands.get(band, 0) + customers
        stages[stage] = stages.get(stage, 0) + customers
    touchpoints: dict[str, dict[str, int]] = {}
    for source, subject, number in (await connection.execute(_INTAKE)).all():
        touchpoints.setdefault(source, {})[subject] = int(number)
    duplicates = (await connection.execute(_PROGRESS, {"topic": TOUCHPOINTS.name})).scalar_one()
    return Statistics(
        customers=sum(bands.values()),
        touchpoints_taken_in=sum(sum(subjects.values()) for subjects in touchpoints.values()),
        touchpoints=touchpoints,
        duplicates_dropped=int(duplicates),
        bands=bands,
        stages=stages,
    )

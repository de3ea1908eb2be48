"""Scoring's transaction: a batch of 500 touchpoints loaded, folded and saved, against asyncpg alone reading and writing as many rows."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import asyncpg
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import Taken, Work
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from nextwave_runtime.service import spare_the_collector
from nextwave_scoring.application import Scoring
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.registry.registry import Registry
from ring.ring import Ring
from stack import create_database

from bench.crowd import known_to_scoring
from bench.report import Measure, Part, Round, part_of
from bench.stand import Bench

BATCH, STRIDE = 500, 7_919
"""Of touchpoints; and how far apart the customers of a batch are, so that they lie on pages of their own."""
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIMIT = "asyncpg: read for update and `unnest` upsert of 500 state rows of the same size, nothing else"
GOALS = {1: 0.6, 10: 1.2}
"""By touchpoints per customer and batch."""
_TABLE = "create table states (id uuid primary key, state bytea not null) with (fillfactor = 70)"
_READ = "select id, state from states where id = any($1::uuid[]) order by id for update"
_WRITE = (
    "insert into states select * from unnest($1::uuid[], $2::bytea[]) on conflict (id) do update set state = excluded.state"
)  # fmt: skip


async def measure(bench: Bench, ring: Ring) -> list[Part]:
    """With all customers of a batch distinct (`scoring`), and with ten touchpoints of each (`scoring_10`)."""
    dsn = await create_database(ring.endpoints["postgres"], "bench_scoring")
    await asyncio.to_thread(upgrade, "nextwave_scoring.migrations", dsn)
    database, connection = Database(dsn), await asyncpg.connect(dsn)
    scoring = Scoring(Fold(Judge(Registry(Baseline(DEFAULT)))))
    bench.say(f"scoring: making {bench.crowd} customers")
    for first in range(0, bench.customers, BATCH):
        await _work(database, scoring, _touchpoints(range(first, min(first + BATCH, bench.customers)), 0, "order.placed"))
    await known_to_scoring(connection, range(bench.customers, bench.crowd), ("customer_id:?", "anonymous_id:d?"))
    await connection.execute(_TABLE)
    await connection.execute("insert into states select id, state from customers")
    spare_the_collector()
    parts = [await _part(bench, database, connection, scoring, each) for each in GOALS]
    await connection.close()
    await database.close()
    return parts


async def _part(bench: Bench, database: Database, connection: asyncpg.Connection, scoring: Scoring, each: int) -> Part:
    name = "scoring" if each == 1 else f"scoring_{each}"
    ids = [row[0] for row in await connection.fetch("select id from states order by id")]
    size = await connection.fetchval("select avg(length(state))::float from states")
    rounds, crowd = [], max(bench.crowd, bench.customers)
    for number in range(bench.rounds):
        bench.begin(name, number)
        cpu, began, count = time.process_time(), time.perf_counter(), 0
        while time.perf_counter() < began + bench.seconds:
            numbers = [(count // each + n) * STRIDE % crowd for n in range(BATCH // each)]
            await _work(database, scoring, _touchpoints(numbers, number * 100_000 + count, "product.viewed", each))
            count += BATCH
        spent, rate = (time.process_time() - cpu) / count * 1e6, count / (time.perf_counter() - began)
        limit = await _limit(connection, ids, bench.seconds)
        rounds.append(Round(subject=rate, limit=limit, cpu={"scoring": spent}, more={"state_bytes": size, "customers": len(ids)}))
    subject = f"scoring: load, fold and save of batches of {BATCH} touchpoints, {each} of each customer, one after the other"
    return part_of(Measure(name=name, unit="touchpoints per second", subject=subject, limit=LIMIT, goal=GOALS[each]), rounds)


async def _work(database: Database, scoring: Scoring, touchpoints: list[Touchpoint]) -> None:
    taken = [Taken(TOUCHPOINTS, 0, offset, t.received_at, t) for offset, t in enumerate(touchpoints)]
    async with database.transaction() as connection:
        unit = await scoring.load(connection, Work(TOUCHPOINTS, 0, 4, START, taken, ()))
        for item in taken:
            scoring.fold(unit, item, START)
        await scoring.save(connection, unit)


def _touchpoints(customers: range | list[int], first: int, kind: str, each: int = 1) -> list[Touchpoint]:
    data = {"amount": 4_900, "currency": "EUR", "product_id": "p1", "category": "shoes"}
    found = []
    for number, customer in enumerate(customer for customer in customers for _ in range(each)):
        at = START + timedelta(seconds=first + number)
        names, told = (f"customer_id:{customer}", f"anonymous_id:d{customer}"), f"{first}-{number}"
        found.append(Touchpoint(id=told, source="b", type=kind, identifiers=names, occurred_at=at, received_at=at, data=data))
    return found


async def _limit(connection: asyncpg.Connection, ids: list[object], seconds: float) -> float:
    began, count = time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        chosen = [ids[(count + n) * STRIDE % len(ids)] for n in range(min(BATCH, len(ids)))]
        async with connection.transaction():
            rows = await connection.fetch(_READ, chosen)
            await connection.execute(_WRITE, [row[0] for row in rows], [row[1] for row in rows])
        count += len(rows)
    return count / (time.perf_counter() - began)

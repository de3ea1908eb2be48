"""The orchestrator's transactions with a hundred campaigns live and a million customers there: messages taken in, and timers fired."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

import asyncpg
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.topics import CUSTOMERS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import decode, encode
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.fold import Decider
from nextwave_runtime.application import Taken, Timer, Work
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from nextwave_runtime.service import spare_the_collector
from nextwave_runtime.timers import Gates, schedule, take_due
from ring.ring import Ring
from stack import create_database
from unit.orchestrator.decision_world import MONDAY_NOON, campaign, catalogue, snapshot, wave

from bench.crowd import known_to_the_orchestrator
from bench.report import Measure, Part, Round, part_of
from bench.stand import Bench

BATCH, STRIDE, CAMPAIGNS = 500, 7_919, 100
ENTERS_EVERY = 20
"""One message of so many lets its customer into a campaign, and so is decided on."""
OURS, OTHERS = 0, 1
"""Partitions: the one that is measured, and that of the limit's timers."""
WINDOW = timedelta(hours=48)
PENDING = (
    "insert into timers select $1, $2::timestamptz + n * interval '1 second', n || '/r', 'close', '', 'watermark'"
    " from generate_series(1, $3) n"
)
MESSAGES = Measure(
    name="orchestrator",
    unit="messages per second",
    subject=f"load, fold and save of batches of {BATCH} messages of as many customers, {CAMPAIGNS} campaigns and segments, 5 % enter one",
    limit="decoding the same messages, nothing else",
    goal=0.5,
)
TIMERS = Measure(
    name="timers",
    unit="timers per second",
    subject=f"claim, load, fold and save of batches of {BATCH} ends of windows: each closes a wave and decides on the next",
    limit=f"claiming {BATCH} timers and inserting the next {BATCH}, nothing else",
    goal=0.6,
)


@dataclass
class House:
    """One partition's owner over the customers of the benchmark. `clock` goes on by a second with each batch."""

    database: Database
    crowd: int
    decider: Decider
    now: datetime = MONDAY_NOON
    posted: int = 0

    def messages(self, customers: Sequence[str], enter_every: int) -> list[bytes]:
        """A touchpoint of each, as scoring publishes it."""
        found = []
        for customer_id in customers:
            self.posted += 1
            kind = f"asked.{self.posted // enter_every % CAMPAIGNS}" if self.posted % enter_every == 0 else "product.viewed"
            touchpoint = Touchpoint(
                id=f"t-{self.posted}",
                source="bench",
                type=kind,
                identifiers=("customer_id:1",),
                occurred_at=self.now,
                received_at=self.now,
                data={"amount": 4_900, "currency": "EUR", "product_id": "p1", "category": "shoes"},
            )
            message = CustomerUpdated(
                customer_id=customer_id, at=self.now, touchpoint=touchpoint, profile=snapshot(customer_id=customer_id, version=self.posted)
            )
            found.append(encode(message))
        return found

    def some(self, count: int) -> list[str]:
        """So many customers, far apart."""
        return [id_of((self.posted + n) * STRIDE % self.crowd) for n in range(count)]

    async def take(self, messages: Sequence[bytes]) -> None:
        """Decodes and takes in a batch."""
        self.now += timedelta(seconds=1)
        taken = [Taken(CUSTOMERS, OURS, n, self.now, decode(one, CustomerUpdated)) for n, one in enumerate(messages)]
        async with self.database.transaction() as connection:
            await self._do(connection, taken, [])

    async def fire(self) -> int:
        """Fires a batch of timers that are due; how many."""
        self.now += timedelta(seconds=1)
        async with self.database.transaction() as connection:
            due = await take_due(connection, OURS, Gates(self.now, self.now), BATCH)
            await self._do(connection, [], due)
        return len(due)

    async def _do(self, connection: Any, taken: list[Taken], due: list[Timer]) -> None:
        unit = await self.decider.load(connection, Work(CUSTOMERS, OURS, 1, self.now, taken, due))
        items: list[Taken | Timer] = [*taken, *due]
        for item in items:
            for outgoing in self.decider.fold(unit, item, self.now):
                encode(outgoing.message)
        await self.decider.save(connection, unit)


def id_of(number: int) -> str:
    """Of a customer of the crowd (see `crowd`)."""
    return str(UUID(md5(f"crowd {number}".encode()).hexdigest()))


def campaigns() -> Catalogue:
    """Each with an event, an audience and two waves of its own."""
    segments = [
        {
            "key": f"s{n}",
            "priority": n,
            "rule": {"all": [{"field": "value.cell", "op": "eq", "value": "IV"}, {"field": "orders.count", "op": "lt", "value": 1000 + n}]},
        }
        for n in range(CAMPAIGNS)
    ]
    live = [
        campaign(
            f"c{n}",
            wave("tell", "email"),
            wave("remind", "email", enter={"after": "tell", "unless": "responded"}),
            entry={"on": {"event": f"asked.{n}"}, "audience": {"segment": f"s{n}"}, "reentry": {"after": "1h"}},
        )
        for n in range(CAMPAIGNS)
    ]
    return catalogue(*live, segments=segments)


async def measure(bench: Bench, ring: Ring) -> list[Part]:
    """Both parts, in the orchestrator's own process."""
    dsn = await create_database(ring.endpoints["postgres"], "bench_deciding")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    database, connection = Database(dsn), await asyncpg.connect(dsn)
    bench.say(f"orchestrator: making {bench.crowd} customers")
    rules = campaigns()
    house = House(database, bench.crowd, Decider(lambda: rules))
    seeds = [id_of(n) for n in range(bench.customers)]
    for _ in range(3):
        for first in range(0, len(seeds), BATCH):
            await house.take(house.messages(seeds[first : first + BATCH], ENTERS_EVERY**3))
    await known_to_the_orchestrator(connection, range(bench.customers, bench.crowd))
    await connection.execute("update customer_states set partition = 0 where partition is distinct from 0")
    spare_the_collector()
    parts = [await _messages(bench, house), await _timers(bench, house, connection)]
    await connection.close()
    await database.close()
    return parts


async def _messages(bench: Bench, house: House) -> Part:
    rounds = []
    for number in range(bench.rounds):
        bench.begin(MESSAGES.name, number)
        batches = [house.messages(house.some(BATCH), ENTERS_EVERY) for _ in range(40)]
        spent, rate = await _rate(bench.seconds, batches, house.take)
        _, limit = await _rate(bench.seconds / 2, batches, _decode)
        rounds.append(Round(subject=rate, limit=limit, cpu={"orchestrator": spent}))
    return part_of(MESSAGES, rounds)


async def _timers(bench: Bench, house: House, connection: Any) -> Part:
    """Those of `bench.crowd` wait for a far day."""
    far = house.now + timedelta(days=300)
    await connection.execute(PENDING, OURS, far, bench.crowd)
    rounds = []
    for number in range(bench.rounds):
        bench.begin(TIMERS.name, number)
        for _ in range(20):
            await house.take(house.messages(house.some(BATCH), 1))
        house.now += WINDOW
        cpu, began, count = time.process_time(), time.perf_counter(), 0
        while fired := await house.fire():
            count += fired
        spent, rate = (time.process_time() - cpu) / count * 1e6, count / (time.perf_counter() - began)
        house.now += WINDOW
        while await house.fire():  # the second wave's, which decide on nothing more
            pass
        rounds.append(Round(subject=rate, limit=await _limit(house, count), cpu={"orchestrator": spent}, more={"fired": float(count)}))
    return part_of(TIMERS, rounds)


async def _limit(house: House, count: int) -> float:
    at = house.now - timedelta(days=1)
    async with house.database.transaction() as connection:
        await schedule(connection, [Timer(OTHERS, at, f"{n}/r", "close", gate="watermark") for n in range(count)])
    began, done = time.perf_counter(), 0
    while done < count:
        async with house.database.transaction() as connection:
            due = await take_due(connection, OTHERS, Gates(house.now, at), BATCH)
            await schedule(connection, [Timer(OTHERS, t.due_at + WINDOW, t.key, t.kind, gate="watermark") for t in due])
        done += len(due)
    rate = done / (time.perf_counter() - began)
    async with house.database.transaction() as connection:
        while await take_due(connection, OTHERS, Gates(house.now, at + WINDOW), BATCH):
            pass
    return rate


async def _decode(messages: Sequence[bytes]) -> None:
    for one in messages:
        decode(one, CustomerUpdated)


async def _rate(seconds: float, batches: list[list[bytes]], work: Callable[[list[bytes]], Awaitable[None]]) -> tuple[float, float]:
    """Processor time a message in microseconds, and messages a second."""
    cpu, began, count = time.process_time(), time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        for batch in batches:
            await work(batch)
            count += len(batch)
            if time.perf_counter() >= began + seconds:
                break
    return (time.process_time() - cpu) / count * 1e6, count / (time.perf_counter() - began)

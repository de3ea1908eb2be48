"""The ring's throughput: how fast a backlog passes ingest, scoring and orchestrator, against the same runtime with identity folds."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from nextwave_contracts.topics import partition_of
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import encode
from ring.ring import Ring
from stack import PARTITIONS, create_database, create_topics

from bench.identity_service import TABLES, TAKEN, TOPICS
from bench.processes import Meter, of_stack
from bench.programs import Serving, post, serving, taken, until_taken
from bench.report import Measure, Part, Round, part_of
from bench.stand import Bench
from bench.traffic import Door, names, views

THROUGHPUT = Measure(
    name="ring_throughput",
    unit="touchpoints per second",
    subject="the ring: from the first post of a backlog, in batches of 100, until scoring and orchestrator have taken in all of it",
    limit="the identity ring: two services of the same runtime that read and write 1 KB a customer and pass the message on",
    goal=0.6,
)


@dataclass(frozen=True)
class Passage:
    """One backlog's way through."""

    per_second: float
    cpu: dict[str, float]


@dataclass(frozen=True)
class Identity:
    """Where the identity ring works: beside `ring`, on its servers, with topics and databases of its own."""

    bench: Bench
    ring: Ring
    databases: Mapping[str, str]


async def measure(bench: Bench, ring: Ring) -> Part:
    """Signs the customers up, then measures."""
    await sign_up(bench, ring)
    identity = Identity(bench, ring, await _prepare(ring))
    rounds = []
    for number in range(bench.rounds):
        bench.begin(THROUGHPUT.name, number)
        if number % 2:
            limit = await _identity(identity, number)
            subject = await passage(bench, ring, f"backlog-{number}", names(bench.customers))
        else:
            subject = await passage(bench, ring, f"backlog-{number}", names(bench.customers))
            limit = await _identity(identity, number)
        more = {
            "subject_cpu_us_per_event": sum(subject.cpu.values()),
            "limit_cpu_us_per_event": sum(limit.cpu.values()),
            **{f"limit_{name}_us_per_event": cost for name, cost in limit.cpu.items()},
        }
        rounds.append(Round(subject=subject.per_second, limit=limit.per_second, cpu=subject.cpu, more=more))
    return part_of(THROUGHPUT, rounds)


async def sign_up(bench: Bench, ring: Ring) -> None:
    bench.say(f"signing up {bench.customers} customers")
    door = door_of(ring)
    before = await counts(ring)
    posted = await post(door, door.sign_ups(names(bench.customers), ring.now()), connections=8)
    await until_taken(ring.client, {where: count + 2 * bench.customers for where, count in before.items()}, 120 + posted.seconds)


def door_of(ring: Ring) -> Door:
    """The ring's ingest."""
    return Door(ring.endpoints["ingest"], ring.endpoints["write_key"])


async def counts(ring: Ring) -> dict[tuple[str, str], float]:
    """How much scoring and orchestrator have taken in, those of them that run."""
    endpoints = ring.endpoints
    running = [name for name in ("scoring", "orchestrator") if f"{name}-0" in endpoints["pids"]]
    return {(endpoints[name], name): await taken(ring.client, endpoints[name], name) for name in running}


async def passage(bench: Bench, ring: Ring, run: str, customers: list[str]) -> Passage:
    """A backlog of these customers, in turn, through the ring; message ids begin with `run`."""
    door = door_of(ring)
    requests = door.batches(views(run, customers, bench.events, ring.now()))
    before, meter = await counts(ring), Meter(of_stack(ring.endpoints["pids"]))
    posted = await post(door, requests, connections=8)
    await until_taken(ring.client, {where: count + bench.events for where, count in before.items()})
    seconds = time.time() - posted.began_at
    return Passage(bench.events / seconds, meter.per_event(bench.events) | {"load": posted.cpu_seconds / bench.events * 1e6})


async def _prepare(ring: Ring) -> dict[str, str]:
    """Makes topics and databases of the identity ring; the databases' DSNs."""
    endpoints = ring.endpoints
    await create_topics(endpoints["kafka"], [topic.name for topic in TOPICS])
    databases = {name: await create_database(endpoints["postgres"], f"bench_{name}") for name in ("first", "second")}
    for dsn in databases.values():
        connection = await asyncpg.connect(dsn)
        for statement in TABLES:
            await connection.execute(statement)
        await connection.close()
    return databases


async def _identity(identity: Identity, number: int) -> Passage:
    """Starts the identity ring, warms it up with one message of each customer, measures, and stops it, so that it costs nobody else."""
    bench, client, endpoints = identity.bench, identity.ring.client, identity.ring.endpoints
    warm, backlog = _records(bench, f"warm-{number}", bench.customers), _records(bench, f"backlog-{number}", bench.events)
    servers = {name: endpoints["pids"][name] for name in ("kafka", "postgres")}
    async with _service(identity, "first") as first, _service(identity, "second") as second, _producer(endpoints["kafka"]) as producer:
        places = ((first.url, "first"), (second.url, "second"))
        await _append(producer, warm)
        await until_taken(client, dict.fromkeys(places, float(len(warm))))
        meter, began = Meter({"first": first.pid, "second": second.pid, **servers}), time.time()
        await _append(producer, backlog)
        await until_taken(client, dict.fromkeys(places, float(len(warm) + len(backlog))))
        return Passage(len(backlog) / (time.time() - began), meter.per_event(len(backlog)))


def _service(identity: Identity, name: str) -> AbstractAsyncContextManager[Serving]:
    folder = identity.bench.folder / name
    folder.mkdir(exist_ok=True)
    settings = {"KAFKA": identity.ring.endpoints["kafka"], "POSTGRES": identity.databases[name]}
    return serving("identity_service", folder, settings, {"BENCH_IDENTITY": name})


def _records(bench: Bench, run: str, count: int) -> list[tuple[bytes, bytes]]:
    """Key and value of what ingest makes of the same calls."""
    now = datetime.now(UTC)
    made = []
    for call in views(f"identity-{run}", names(bench.customers), count, now):
        name = f"customer_id:{call['userId']}"
        touchpoint = Touchpoint(
            id=call["messageId"],
            source="bench",
            type="product.viewed",
            identifiers=(name,),
            occurred_at=now,
            received_at=now,
            data=call["properties"],
        )
        made.append((name.encode(), encode(touchpoint)))
    return made


async def _append(producer: Any, records: list[tuple[bytes, bytes]]) -> None:
    for key, value in records:
        await producer.send(TAKEN.name, value, key=key, partition=partition_of(key, PARTITIONS))
    await producer.flush()


@asynccontextmanager
async def _producer(bootstrap: str) -> AsyncIterator[Any]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=262_144)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()

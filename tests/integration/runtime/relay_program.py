"""A service of two processors for tests of the runtime: `relay` doubles what comes from a door, `tally` counts it per customer.

Run as `python -m integration.runtime.relay_program` with the usual settings; it can be killed at any moment, the counts must not show it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from fastapi import FastAPI
from faults.breaking import MECHANISMS
from integration.runtime import dying
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import OUTCOMES, TOUCHPOINTS, partition_of
from nextwave_runtime.application import Outgoing, RejectedError, Taken, Timer, Work
from nextwave_runtime.clock import DatabaseClock
from nextwave_runtime.database import Database
from nextwave_runtime.processor import Processor
from nextwave_runtime.schema import PROCESSOR_TABLES
from nextwave_runtime.service import Service, run
from nextwave_runtime.settings import ProcessorSettings
from nextwave_runtime.timers import schedule
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

TABLES = (*PROCESSOR_TABLES, "create table tally (customer text primary key, numbers int[] not null)")
_LOAD = text("select customer, numbers from tally where customer = any(cast(:customers as text[])) order by customer for update")
_SAVE = text(
    "insert into tally (customer, numbers) values (:customer, cast(:numbers as int[]))"
    " on conflict (customer) do update set numbers = excluded.numbers"
)


class Relay:
    """Each touchpoint becomes two outcomes at once and a third by a timer."""

    name = "relay"
    inputs = (TOUCHPOINTS,)
    timers_on = TOUCHPOINTS
    hands_over = frozenset({"third"})

    async def load(self, _connection: AsyncConnection, work: Work) -> tuple[Work, list[Timer]]:
        return work, []

    def fold(self, unit: tuple[Work, list[Timer]], item: Taken | Timer, now: datetime) -> Iterable[Outgoing]:
        work, timers = unit
        if isinstance(item, Timer):
            return [_out(item.key.partition("/")[0], int(item.payload) * 10 + 3, now)]
        if "number" not in item.message.data:
            return []  # of another test's: the topics are shared
        customer, number = item.message.identifiers[0], int(item.message.data["number"])
        if item.message.type == "poison.taken":
            raise ValueError("this message cannot be taken in")
        if item.message.type == "refused.taken":
            raise RejectedError("invalid", "it names nobody")
        partition = partition_of(customer.encode(), work.partitions)
        timers.append(Timer(partition, now + timedelta(milliseconds=5), f"{customer}/{number}", "third", str(number).encode()))
        return [_out(customer, number * 10 + n, now) for n in (1, 2)]

    async def save(self, connection: AsyncConnection, unit: tuple[Work, list[Timer]]) -> None:
        await schedule(connection, unit[1])


class Tally:
    """Notes every number that came, per customer, in order."""

    name = "tally"
    inputs = (OUTCOMES,)
    timers_on = OUTCOMES
    hands_over: frozenset[str] = frozenset()

    async def load(self, connection: AsyncConnection, work: Work) -> dict[str, list[int]]:
        customers = sorted({t.message.customer_id for t in work.taken})
        rows = await connection.execute(_LOAD, {"customers": customers})
        return {customer: list(numbers) for customer, numbers in rows.all()}

    def fold(self, unit: dict[str, list[int]], item: Taken | Timer, _now: datetime) -> Iterable[Outgoing]:
        assert isinstance(item, Taken)
        unit.setdefault(item.message.customer_id, []).append(int(item.message.detail))
        return ()

    async def save(self, connection: AsyncConnection, unit: dict[str, list[int]]) -> None:
        for customer, numbers in sorted(unit.items()):
            await connection.execute(_SAVE, {"customer": customer, "numbers": numbers})


def _out(customer: str, number: int, now: datetime) -> Outgoing:
    ids: dict[str, Any] = dict.fromkeys(("action_id", "campaign", "wave", "run_id"), "a")
    outcome = Outcome(id=str(number), customer_id=customer, version=1, channel="sms", kind="accepted", at=now, detail=str(number), **ids)
    return Outgoing(OUTCOMES, outcome)


class UnsureClock(DatabaseClock):
    """A clock that the database does not agree with."""

    @property
    def sure(self) -> bool:
        return False


def build(settings: ProcessorSettings) -> Service:
    """Both processors, or those named in RELAY_PARTS."""
    databases = {"relay": Database(settings.postgres.get_secret_value()), "tally": Database(os.environ["RELAY_TALLY_POSTGRES"])}
    clock_type = UnsureClock if os.environ.get("RELAY_CLOCK") == "unsure" else DatabaseClock
    clock = clock_type(settings.clock, databases["relay"].wall_seconds)
    parts = os.environ.get("RELAY_PARTS", "relay,tally").split(",")
    applications: dict[str, Any] = {"relay": Relay(), "tally": Tally()}
    processors = tuple(Processor(applications[p], database=databases[p], settings=settings, clock=clock) for p in parts)
    return Service(
        name="relay",
        app=FastAPI(),
        processors=processors,
        starting=(clock.set,),
        background=(clock.follow,),
        closing=tuple(d.close for d in databases.values()),
    )


if __name__ == "__main__":
    if broken := os.environ.get("RELAY_BREAK"):
        MECHANISMS[broken]()
    if os.environ.get("RELAY_DIE") == "between_commit_and_publish":
        dying.between_commit_and_publish()
    if seconds := float(os.environ.get("RELAY_SLOW", "0")):
        dying.slow(seconds)
    run("relay", ProcessorSettings, build)

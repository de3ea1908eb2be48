"""The limit of the ring: the ring's own runtime with folds that decide nothing, as two services like scoring and orchestrator.

For each message `first` and `second` read the customer's row for update, write it back with 1 KB, and pass the message on: `first` with
a profile's worth of text (as a customers message has), `second` without. Topics, databases and consumer groups are their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from nextwave_contracts.topics import TOUCHPOINTS, Topic
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import Message
from nextwave_runtime.application import Outgoing, Taken, Timer, Work
from nextwave_runtime.clock import DatabaseClock
from nextwave_runtime.database import Database
from nextwave_runtime.processor import Processor
from nextwave_runtime.schema import PROCESSOR_TABLES
from nextwave_runtime.service import Service, run
from nextwave_runtime.settings import ProcessorSettings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

STATE_BYTES = 1024
PROFILE = "profile " * 125
TABLES = (*PROCESSOR_TABLES, "create table states (customer text primary key, state bytea not null)")
_LOAD = text("select customer, state from states where customer = any(cast(:customers as text[])) order by customer for update")
_SAVE = text(
    "insert into states (customer, state) select * from unnest(cast(:customers as text[]), cast(:states as bytea[]))"
    " on conflict (customer) do update set state = excluded.state"
)


class Passed(Message, frozen=True, kw_only=True):
    """A touchpoint on its way round, with or without a profile."""

    customer_id: str
    touchpoint: Touchpoint
    profile: str = ""


def _topic(short: str, message: Any, key: Any, **more: Any) -> Topic:
    return Topic(
        name=f"bench.{short}.v1", message=message, key=key, written_by="bench", read_by=("bench",), meaning="a measurement", **more
    )


TAKEN = _topic("touchpoints", Touchpoint, TOUCHPOINTS.key, door_id=TOUCHPOINTS.door_id)
BETWEEN = _topic("customers", Passed, lambda message: message.customer_id)
GIVEN = _topic("actions", Passed, lambda message: message.customer_id)
TOPICS = (TAKEN, BETWEEN, GIVEN)


class Identity:
    """Takes everything in and changes nothing."""

    def __init__(self, name: str, source: Topic, target: Topic, profile: str) -> None:
        self.name = name
        self.inputs: tuple[Topic, ...] = (source,)
        self.timers_on = source
        self.hands_over: frozenset[str] = frozenset()
        self._target = target
        self._profile = profile

    async def load(self, connection: AsyncConnection, work: Work) -> dict[str, bytes]:
        customers = sorted({_customer(taken.message) for taken in work.taken})
        rows = await connection.execute(_LOAD, {"customers": customers})
        return {customer: bytes(state) for customer, state in rows.all()}

    def fold(self, unit: dict[str, bytes], item: Taken | Timer, _now: datetime) -> Iterable[Outgoing]:
        assert isinstance(item, Taken)
        message = item.message
        customer = _customer(message)
        unit[customer] = unit.get(customer) or os.urandom(STATE_BYTES)
        touchpoint = message if isinstance(message, Touchpoint) else message.touchpoint
        return (Outgoing(self._target, Passed(customer_id=customer, touchpoint=touchpoint, profile=self._profile)),)

    async def save(self, connection: AsyncConnection, unit: dict[str, bytes]) -> None:
        customers = sorted(unit)
        await connection.execute(_SAVE, {"customers": customers, "states": [unit[customer] for customer in customers]})


def _customer(message: Touchpoint | Passed) -> str:
    return message.identifiers[0] if isinstance(message, Touchpoint) else message.customer_id


def build(settings: ProcessorSettings) -> Service:
    """One of the two services, named by `BENCH_IDENTITY`."""
    database = Database(settings.postgres.get_secret_value())
    first = Identity("first", TAKEN, BETWEEN, PROFILE)
    application = first if os.environ["BENCH_IDENTITY"] == "first" else Identity("second", BETWEEN, GIVEN, "")
    clock = DatabaseClock(settings.clock, database.wall_seconds)
    processor = Processor(application, database=database, settings=settings, clock=clock)
    return Service(
        name=application.name,
        app=_nothing,
        processors=(processor,),
        starting=(clock.set,),
        background=(clock.follow,),
        closing=(database.close,),
    )


async def _nothing(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    run("identity", ProcessorSettings, build)

"""One channels database with what tests do to it: a clock set by hand, an adapter that records, questions in SQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from channel_contacts import NOON
from nextwave_channels import store
from nextwave_channels.answers import Accepted, Answer
from nextwave_channels.claiming import Desk
from nextwave_channels.delivery import queue
from nextwave_channels.dispatcher import Bell, Dispatcher
from nextwave_channels.dues import Dues
from nextwave_channels.horizon import Horizon
from nextwave_channels.outlets import Outlet, Outlets
from nextwave_channels.pacing import Pace
from nextwave_channels.prices import NO_PRICES, Prices
from nextwave_contracts.actions import Contact
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.wire import decode
from nextwave_runtime.clock import steady_seconds
from nextwave_runtime.database import Database
from sqlalchemy import text

PARTITIONS = 4
PATIENT_SECONDS = 10.0
"""A claim of these tests may take this long on a busy machine, where the test is not about it."""


@dataclass
class HandClock:
    """Business time that a test sets."""

    instant: datetime = NOON
    sure: bool = True

    def now(self) -> datetime:
        return self.instant

    def at(self, wall_seconds: float) -> datetime:
        return self.instant + timedelta(seconds=wall_seconds - time.time())

    def wall(self) -> float:
        return time.time()

    def today(self) -> date:
        return datetime.now(UTC).date()


@dataclass
class Recorder:
    """An adapter that keeps what it was given and answers as told; `before` runs inside each send."""

    answer: Callable[[Contact], Answer] = lambda _contact: Accepted(provider_id="P1")
    before: Callable[[Contact], Awaitable[None]] | None = None
    sent: list[str] = field(default_factory=list)

    async def send(self, contact: Contact) -> Answer:
        self.sent.append(contact.action_id)
        if self.before:
            await self.before(contact)
        return self.answer(contact)

    async def close(self) -> None:
        pass


@dataclass
class Place:
    """One channels database, and what tests do with it."""

    database: Database
    clock: HandClock
    monotonic: Callable[[], float] = time.monotonic
    steady: Callable[[], float] = time.monotonic
    """The seconds of breakers and rests."""
    horizon: Callable[[], Awaitable[Horizon]] | None = None
    """How many stops are accepted; None: none at all."""

    @property
    def desk(self) -> Desk:
        return Desk(
            database=self.database,
            clock=self.clock,
            partitions=PARTITIONS,
            until=lambda _business: 0.0,
            monotonic=self.monotonic,
            horizon=self.horizon or self._no_stops,
            dues=Dues(self.database, steady_seconds),
        )

    async def _no_stops(self) -> Horizon:
        return Horizon(self.monotonic(), {})

    def dispatcher(self, adapter: Recorder, pace: Pace | None = None, channel: str = "email") -> Dispatcher:
        outlet = Outlet(provider="only", adapter=adapter, pace=pace or Pace(concurrency=8, fresh_seconds=PATIENT_SECONDS))
        return self.dispatcher_over(outlet, channel=channel)

    def dispatcher_over(self, *outlets: Outlet, channel: str = "email", prices: Prices = NO_PRICES) -> Dispatcher:
        return Dispatcher(Outlets(channel, outlets, self.clock, self.steady, prices), self.desk, Bell())

    async def put(self, *contacts: Contact, due_at: datetime = NOON) -> None:
        async with self.database.transaction() as connection:
            await store.insert(connection, [queue(c, due_at) for c in contacts], self.clock.now(), PARTITIONS)

    async def ask(self, question: str, **bound: Any) -> list[tuple[Any, ...]]:
        async with self.database.transaction() as connection:
            result = await connection.execute(text(question), bound)
            return [tuple(row) for row in result.all()] if result.returns_rows else []

    async def states(self) -> dict[str, str]:
        return dict(await self.ask("select action_id, state from deliveries"))

    async def outcomes(self) -> list[Outcome]:
        """What waits to be published by the partitions' owners."""
        rows = await self.ask("select payload from timers where kind = 'outcome' order by due_at, key")
        return [decode(bytes(payload), Outcome) for (payload,) in rows]

    async def waits(self) -> bool:
        """Whether somebody waits for a lock."""
        async with self.database.connection() as connection:
            asked = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            return bool((await connection.execute(text(asked))).all())

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(10):
            while not await holds():  # noqa: ASYNC110  (what is waited for happens in the database)
                await asyncio.sleep(0.01)

"""Carries due deliveries out, one loop per channel: claim under the gate, commit `sending`, call the provider, record its answer.

A claim waits until every stop accepted before it began has been read (`horizon`), and while the clock is not sure.

Several replicas may run it side by side. A crash between the commit and the record leaves `sending` with a lease; when that has
run out, the delivery is `unknown` and is never sent again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

import structlog
from nextwave_contracts.actions import Contact
from nextwave_contracts.topics import HOLDS
from nextwave_runtime import progress
from nextwave_runtime.clock import WallClock
from nextwave_runtime.database import UNAVAILABLE, Database
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import delivery as life
from nextwave_channels import gate, metrics, stopping, store
from nextwave_channels.answers import Adapter, Answer, Refused, Uncertain
from nextwave_channels.delivery import Delivery, Step
from nextwave_channels.horizon import ClaimsWaitError, Horizon, Waiting
from nextwave_channels.intake import PROCESSOR
from nextwave_channels.pacing import Pace, idle_seconds

LAPSED_MAX = 200
LAPSED_EVERY_SECONDS = 2.0
TROUBLE_SECONDS = 1.0
UNREAD_SECONDS = 0.02
"""Before it is looked again whether the stops were read."""
AGAIN_SECONDS = 0.1
"""Before a claim that had to wait is tried again."""
RECORD_AGAIN_SECONDS = (0.2, 1.0, 3.0)
"""Waits before an answer is recorded again when the database is away; after them the lease decides."""
STALE = Refused(detail="not sent: too long after its claim", permanent=False)
"""What is recorded, instead of a call of the provider, when the process stood still between claim and send."""
_log = structlog.get_logger()


class Bell:
    """Wakes a channel's loop when there may be work, so that it need not ask often."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}

    def ring(self, channel: str) -> None:
        """There may be work for the channel, now or as soon as the caller's transaction is committed."""
        self._event(channel).set()

    async def wait(self, channel: str, seconds: float) -> bool:
        """True as soon as it rings, False after `seconds`."""
        event = self._event(channel)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        event.clear()
        return True

    def _event(self, channel: str) -> asyncio.Event:
        return self._events.setdefault(channel, asyncio.Event())


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every channel's dispatcher works with. `until` gives the wall seconds from now to a business instant.

    `monotonic` gives seconds that also pass while the process is stopped, `horizon` how many stops are accepted by now.
    """

    database: Database
    clock: WallClock
    partitions: int
    until: Callable[[datetime], float]
    monotonic: Callable[[], float]
    horizon: Callable[[], Awaitable[Horizon]]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send, and when it was asked which stops its claim must know (`Desk.monotonic`)."""

    delivery: Delivery
    since: float

    @property
    def contact(self) -> Contact:
        """What to send."""
        return self.delivery.contact


class Dispatcher:
    """One channel's loop."""

    def __init__(self, channel: str, adapter: Adapter, pace: Pace, desk: Desk, bell: Bell) -> None:
        self._channel = channel
        self._adapter = adapter
        self._pace = pace
        self._desk = desk
        self._bell = bell
        self._waiting = Waiting(channel, desk.monotonic)
        self._under_way: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self) -> None:
        """Dispatches until cancelled; then ends the turn and the sends under way, so that what is `sending` is sent and recorded."""
        turns = asyncio.create_task(self._turns())
        try:
            await asyncio.shield(turns)
        finally:
            self._stopping = True
            self._bell.ring(self._channel)
            await asyncio.wait({turns}, timeout=self._pace.deadline_seconds)
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=self._pace.deadline_seconds)

    async def claim(self, limit: int) -> list[Claimed] | None:
        """Claims up to `limit` due deliveries and commits them as `sending`; those that the gate stops are settled.

        None when nothing was due; an empty list when what was due must not be sent now. Raises `ClaimsWaitError`, and changes nothing,
        when the stops accepted before it began are not read in time, Kafka does not tell of them, or the clock is not sure.
        """
        if not self._desk.clock.sure:
            raise ClaimsWaitError("the database's clock and the time carried on disagree")
        horizon = await self._desk.horizon()
        while True:
            async with self._desk.database.transaction() as connection:
                unread = await progress.unread(connection, PROCESSOR, HOLDS.name, horizon.ends)
                steps = [] if unread else await self._take_due(connection, limit)
                if self._desk.monotonic() - horizon.asked_at > self._pace.claim_seconds(unread):
                    raise ClaimsWaitError(f"{unread} stops are not read yet" if unread else "the database is slow")
            if not unread:
                break
            await asyncio.sleep(UNREAD_SECONDS)
        if steps is None:
            return None
        _count(steps)
        return [Claimed(step.delivery, horizon.asked_at) for step in steps if step.delivery.state == "sending"]

    async def _take_due(self, connection: AsyncConnection, limit: int) -> list[Step] | None:
        await store.enter_claim(connection)
        now = self._desk.clock.now()
        due = await store.lock_due(connection, self._channel, now, limit)
        if not due:
            return None
        stops = await store.stops(connection, [d.contact for d in due])
        begins = now + timedelta(seconds=self._pace.fresh_seconds)
        steps = [self._rule(d, gate.check(d.contact, stops, now, begins), now) for d in due]
        await store.report(connection, steps, self._desk.partitions)
        return steps

    async def send(self, claimed: Claimed) -> None:
        """Calls the provider for a claimed delivery and records what it said.

        A process that stood still since the claim (stopped, swapped out) calls nobody: a stop, the end of the permitted hours
        or of the lease may have come meanwhile. That is a sure refusal; the next claim checks everything anew.
        """
        delivery = claimed.delivery
        fresh = self._desk.monotonic() - claimed.since <= self._pace.fresh_seconds
        answer = await self._ask(delivery) if fresh else STALE
        for wait in (*RECORD_AGAIN_SECONDS, None):
            try:
                await self._record(delivery, answer)
            except UNAVAILABLE as error:
                _log.warning("answer_not_recorded", action_id=delivery.contact.action_id, answer=repr(answer), error=repr(error)[:300])
                if wait is None:
                    return
                await asyncio.sleep(wait)
            else:
                return

    async def _turns(self) -> None:
        waited = 0.0
        while not self._stopping:
            try:
                waited = await self._turn(waited)
                self._waiting.is_over()
            except ClaimsWaitError as wait:
                self._waiting.goes_on(str(wait))
                await asyncio.sleep(AGAIN_SECONDS)
            except UNAVAILABLE as error:
                _log.warning("dispatch_waits", channel=self._channel, error=repr(error)[:300])
                await asyncio.sleep(TROUBLE_SECONDS)

    async def _turn(self, waited: float) -> float:
        """Claims once and starts the sends, or waits; returns how long it waited for nothing."""
        free = self._pace.concurrency - len(self._under_way)
        if free <= self._pace.concurrency // 4:  # claims of one delivery each would cost as much as claims of several
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            return 0.0
        async with self._desk.database.transaction() as connection:
            due_at = await store.next_due(connection, self._channel)
        claimed = await self.claim(free) if due_at is not None and due_at <= self._desk.clock.now() else None
        for each in claimed or ():
            task = asyncio.create_task(self.send(each))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        if claimed is not None:
            return 0.0
        idle = idle_seconds(waited, None if due_at is None else self._desk.until(due_at))
        return 0.0 if await self._bell.wait(self._channel, idle) else idle

    def _rule(self, delivery: Delivery, ruling: gate.Ruling, now: datetime) -> Step:
        match ruling:
            case gate.Claim():
                return life.begin(delivery, now, self._pace.lease_seconds)
            case gate.Later(until=until):
                return life.postpone(delivery, now, until)
            case gate.Never(kind=kind, reason=reason):
                return life.give_up(delivery, now, kind, reason)

    async def _ask(self, delivery: Delivery) -> Answer:
        started = perf_counter()
        try:
            async with asyncio.timeout(self._pace.deadline_seconds):
                answer = await self._adapter.send(delivery.contact)
        except TimeoutError:
            answer = Uncertain(detail="no answer within the deadline")
        except Exception as error:  # noqa: BLE001  (a defect of an adapter must not make a second send possible)
            _log.exception("adapter_failed", channel=self._channel, action_id=delivery.contact.action_id)
            answer = Uncertain(detail=f"adapter failed: {type(error).__name__}")
        metrics.SEND.labels(self._channel, type(answer).__name__.lower()).observe(perf_counter() - started)
        return answer

    async def _record(self, delivery: Delivery, answer: Answer) -> None:
        async with self._desk.database.transaction() as connection:
            now = self._desk.clock.now()
            if isinstance(answer, Refused) and answer.opted_out:
                said = stopping.opt_out(delivery.contact, now, f"provider:{self._channel}")
                await stopping.record_facts(connection, said, now, self._desk.partitions)
            stored = await store.lock_one(connection, delivery.contact.action_id)
            step = life.conclude(stored, answer, now) if stored and stored.attempt == delivery.attempt else None
            steps = [step] if step else []
            await store.report(connection, steps, self._desk.partitions)
        _count(steps)


async def settle_lapsed(desk: Desk) -> int:
    """Deliveries whose dispatcher is gone become `unknown`; returns how many (at most `LAPSED_MAX`)."""
    async with desk.database.transaction() as connection:
        now = desk.clock.now()
        lapsed = [life.lose(d, now, "the dispatcher was lost while sending") for d in await store.lock_lapsed(connection, LAPSED_MAX)]
        steps = [step for step in lapsed if step]
        await store.report(connection, steps, desk.partitions)
    _count(steps)
    return len(steps)


async def watch_leases(desk: Desk) -> None:
    """Settles lapsed leases until cancelled."""
    while True:
        try:
            settled = await settle_lapsed(desk) if desk.clock.sure else 0  # leases end by the database's clock
        except UNAVAILABLE as error:
            settled = 0
            _log.warning("lease_watch_waits", error=repr(error)[:300])
        if settled < LAPSED_MAX:
            await asyncio.sleep(LAPSED_EVERY_SECONDS)


def _count(steps: list[Step]) -> None:
    for step in steps:
        metrics.STEPS.labels(step.delivery.contact.channel, step.delivery.state).inc()

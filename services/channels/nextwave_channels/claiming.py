"""Claiming and recording: the one way from `due` to `sending`, whoever carries the contact out, and from an answer to a state.

A claim locks what is due, asks the gate again and commits `sending` before anybody is called. It waits until every stop accepted before
it began has been read (`horizon`), and while the clock is not sure. Dispatchers claim for providers that we call; a dialler, an account
manager or an open page that comes for its contacts claims in the same way (`Selection`), and what it reports is an answer like any other.

A crash between the commit and the record leaves `sending` with a lease; when that has run out, the delivery is `unknown` and is never
sent again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from nextwave_contracts.actions import Contact
from nextwave_contracts.topics import HOLDS
from nextwave_runtime import progress
from nextwave_runtime.clock import WallClock
from nextwave_runtime.database import UNAVAILABLE, Database
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import delivery as life
from nextwave_channels import facts, gate, metrics, stopping, store, undated
from nextwave_channels.answers import Answer, Refused
from nextwave_channels.call_lists.release import CHANNEL as CALLS
from nextwave_channels.call_lists.release import Release
from nextwave_channels.delivery import Delivery, Step, Way
from nextwave_channels.dues import Dues
from nextwave_channels.horizon import ClaimsWaitError, Horizon
from nextwave_channels.intake import PROCESSOR
from nextwave_channels.pacing import Pace
from nextwave_channels.store import Selection

SETTLED_MAX = 200
SETTLE_EVERY_SECONDS = 2.0
UNREAD_SECONDS = 0.02
"""Before it is looked again whether the stops were read."""
_log = structlog.get_logger()


Locks = Callable[[AsyncConnection, datetime, int], Awaitable[list[Delivery]]]


class Allotment(Protocol):
    """What one claim may take, and by which provider each delivery goes; asked and kept in the claim's transaction."""

    @property
    def room(self) -> int:
        """How many more deliveries may be taken."""

    def way(self, delivery: Delivery, now: datetime) -> Way:
        """Takes one of `room` for this delivery."""

    async def keep(self, connection: AsyncConnection) -> None:
        """Writes down what was taken, where others must know."""


Allot = Callable[[AsyncConnection], Awaitable[Allotment]]


@dataclass(slots=True)
class Unlimited:
    """The allotment of who comes for contacts: as many as it asks for, and no provider carries them out."""

    room: int

    def way(self, delivery: Delivery, now: datetime) -> Way:  # noqa: ARG002  (the port's)
        """See `Allotment`."""
        return Way()

    async def keep(self, connection: AsyncConnection) -> None:
        """See `Allotment`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What whoever claims works with. `until` gives the wall seconds from now to a business instant.

    `monotonic` gives seconds that also pass while the process is stopped, `horizon` how many stops are accepted by now, `dues` when
    something is due, `calls` which calls may leave (None: where no call is claimed).
    """

    database: Database
    clock: WallClock
    partitions: int
    until: Callable[[datetime], float]
    monotonic: Callable[[], float]
    horizon: Callable[[], Awaitable[Horizon]]
    dues: Dues
    calls: Release | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send, and when it was asked which stops its claim must know (`Desk.monotonic`)."""

    delivery: Delivery
    since: float

    @property
    def contact(self) -> Contact:
        """What to send."""
        return self.delivery.contact


Keep = Callable[[AsyncConnection, list[Delivery]], Awaitable[None]]
"""Writes down who comes for what was claimed, in the transaction of the claim, so that nothing is `sending` in nobody's hands."""


async def claim(desk: Desk, selection: Selection, limit: int | Allot, pace: Pace, keep: Keep | None = None) -> list[Claimed] | None:
    """Claims up to `limit` due deliveries and commits them as `sending`; those that the gate stops are settled.

    A limit that is asked in the claim's transaction also says by which provider each delivery goes; without room nothing is looked at.

    None when nothing was due; an empty list when what was due must not be sent now. Raises `ClaimsWaitError`, and changes nothing,
    when the stops accepted before it began are not read in time, Kafka does not tell of them, or the clock is not sure.
    """
    if not desk.clock.sure:
        raise ClaimsWaitError("the database's clock and the time carried on disagree")
    horizon = await desk.horizon()
    while True:
        async with desk.database.transaction() as connection:
            unread = await progress.unread(connection, PROCESSOR, HOLDS.name, horizon.ends)
            steps = [] if unread else await _take_due(connection, desk, (selection, limit), pace)
            if steps and keep is not None:
                await keep(connection, [step.delivery for step in steps if step.delivery.state == "sending"])
            if desk.monotonic() - horizon.asked_at > pace.claim_seconds(unread):
                raise ClaimsWaitError(f"{unread} stops are not read yet" if unread else "the database is slow")
        if not unread:
            break
        await asyncio.sleep(UNREAD_SECONDS)
    if steps is None:
        return None
    count(steps)
    return [Claimed(step.delivery, horizon.asked_at) for step in steps if step.delivery.state == "sending"]


def is_fresh(desk: Desk, claimed: Claimed, pace: Pace) -> bool:
    """Whether the send may still begin.

    A process that stood still since the claim (stopped, swapped out) calls nobody and hands nothing out: a stop, the end of the permitted
    hours or of the lease may have come meanwhile. That is a sure refusal; the next claim checks everything anew.
    """
    return desk.monotonic() - claimed.since <= pace.fresh_seconds


async def record(desk: Desk, delivery: Delivery, answer: Answer) -> Step | None:
    """What became of a claimed delivery, in a transaction of its own; None where something else settled it, or a later attempt runs."""
    contact = delivery.contact
    async with desk.database.transaction() as connection:
        now = desk.clock.now()
        said = stopping.of_refusal(answer, contact, now) if isinstance(answer, Refused) else []
        if said:
            await stopping.record_facts(connection, said, now, desk.partitions)
        stored = await store.lock_one(connection, contact.action_id)
        step = life.conclude(stored, answer, now) if stored and stored.attempt == delivery.attempt else None
        steps = [step] if step else []
        await store.report(connection, steps, desk.partitions)
    count(steps)
    return step


async def settle_lapsed(desk: Desk) -> int:
    """Deliveries whose dispatcher is gone become `unknown`; returns how many (at most `SETTLED_MAX`)."""
    return await _settle(desk, _lapsed, lambda delivery, now: life.lose(delivery, now, "the dispatcher was lost while sending"))


async def settle_overdue(desk: Desk) -> int:
    """What nobody could or would claim in time has expired; returns how many (at most `SETTLED_MAX`)."""
    return await _settle(desk, store.lock_overdue, lambda delivery, now: life.give_up(delivery, now, "expired", "expired"))


async def date_undated(desk: Desk) -> int:
    """What a build before this one queued gets its latest time, so that it can be overdue; returns how many (at most `SETTLED_MAX`)."""
    async with desk.database.transaction() as connection:
        return await undated.date(connection, SETTLED_MAX)


async def watch(desk: Desk) -> None:
    """Settles lapsed leases and what is overdue, until cancelled."""
    while True:
        try:  # leases and latest times end by the database's clock
            dated = await date_undated(desk)
            settled = max(dated, await settle_lapsed(desk), await settle_overdue(desk)) if desk.clock.sure else 0
        except UNAVAILABLE as error:
            settled = 0
            _log.warning("watch_waits", error=repr(error)[:300])
        if settled < SETTLED_MAX:
            await asyncio.sleep(SETTLE_EVERY_SECONDS)


async def _lapsed(connection: AsyncConnection, _now: datetime, limit: int) -> list[Delivery]:
    return await store.lock_lapsed(connection, limit)


async def _settle(desk: Desk, lock: Locks, ends: Callable[[Delivery, datetime], Step | None]) -> int:
    async with desk.database.transaction() as connection:
        now = desk.clock.now()
        settled = [ends(delivery, now) for delivery in await lock(connection, now, SETTLED_MAX)]
        steps = [step for step in settled if step]
        await store.report(connection, steps, desk.partitions)
    count(steps)
    return len(steps)


def count(steps: list[Step]) -> None:
    """Counts transitions in the metrics."""
    for step in steps:
        metrics.STEPS.labels(step.delivery.contact.channel, step.delivery.state).inc()


async def _take_due(connection: AsyncConnection, desk: Desk, wanted: tuple[Selection, int | Allot], pace: Pace) -> list[Step] | None:
    await store.enter_claim(connection)
    selection, limit = wanted
    allotment = Unlimited(limit) if isinstance(limit, int) else await limit(connection)
    if not allotment.room:
        return []
    now = desk.clock.now()
    calls = desk.calls if selection.channel == CALLS else None
    due = await (calls or store).lock_due(connection, selection, allotment.room, now)
    if not due:
        return None
    stops = await facts.stops(connection, [d.contact for d in due])
    begins = now + timedelta(seconds=pace.fresh_seconds)
    rulings = [gate.check(d.contact, stops, now, begins) for d in due]
    if calls:
        rulings = await calls.rule(connection, due, rulings, now)
    steps = [_rule(d, ruling, now, (pace.lease_seconds, allotment)) for d, ruling in zip(due, rulings, strict=True)]
    await store.report(connection, steps, desk.partitions)
    await allotment.keep(connection)
    return steps


def _rule(delivery: Delivery, ruling: gate.Ruling, now: datetime, terms: tuple[float, Allotment]) -> Step:
    match ruling:
        case gate.Claim():
            lease_seconds, allotment = terms
            return life.begin(delivery, now, lease_seconds, allotment.way(delivery, now))
        case gate.Later(until=until, why=why):
            return life.postpone(delivery, now, until, why)
        case gate.Never(kind=kind, reason=reason):
            return life.give_up(delivery, now, kind, reason)

"""What account managers do with tasks: come for one (that is the claim of its delivery), say what came of it, or give it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nextwave_runtime.problem import Problem
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import claiming, facts, gate, stopping, store
from nextwave_channels import delivery as life
from nextwave_channels.answers import Refused
from nextwave_channels.claiming import Desk
from nextwave_channels.delivery import Delivery, Step
from nextwave_channels.dispatcher import STALE
from nextwave_channels.horizon import ClaimsWaitError
from nextwave_channels.pacing import Pace
from nextwave_channels.store import Selection
from nextwave_channels.tasks import table
from nextwave_channels.tasks.table import Task
from nextwave_channels.tasks.task import CHANNEL, OUTCOMES, RELEASED, Holding, Report, held_until, is_in_hands

PACE = Pace(concurrency=1)
_WHY_NOT: Mapping[str, str] = {
    "sending": "somebody else has it",
    "unknown": "it was held too long, and nobody said what came of it",
    "withdrawn": "it must not be made any more",
    "expired": "its time is over",
}


@dataclass(frozen=True, slots=True)
class Team:
    """What tasks are worked with. `lease` (business time): how long one may be held."""

    desk: Desk
    lease: timedelta
    pace: Pace = PACE


async def claim(team: Team, action_id: str, holder: str) -> Task:
    """The task, from now on in the hands of `holder`; who has it already gets it again. Raises a 404, 409 or 503 `Problem`."""
    desk = team.desk
    known = await read(desk, action_id)
    if is_in_hands(known.delivery, known.holding, holder):
        return known
    now = desk.clock.now()
    until = held_until(known.delivery.contact, now, team.lease)

    async def keep(connection: AsyncConnection, taken: list[Delivery]) -> None:
        await table.keep(connection, [(delivery, until) for delivery in taken], holder, now)

    pace = replace(team.pace, lease_seconds=max(0.0, desk.until(until)))
    try:
        claimed = await claiming.claim(desk, Selection(CHANNEL, action_id=action_id), 1, pace, keep)
    except ClaimsWaitError as wait:
        raise Problem(503, "claims-wait", f"nothing may be claimed right now: {wait}; try again", retry_after_seconds=1) from wait
    if not claimed:
        raise _not_open(await read(desk, action_id), desk.clock.now())
    if not claiming.is_fresh(desk, claimed[0], pace):
        await claiming.record(desk, claimed[0].delivery, STALE)
        raise Problem(503, "claims-wait", "the claim took too long and was given back; try again", retry_after_seconds=2)
    return await read(desk, action_id)


async def complete(team: Team, action_id: str, holder: str, report: Report) -> Task:
    """What came of the visit, once; the same again changes nothing, but a stop counts always. Raises a 404 or 409 `Problem`."""
    desk = team.desk
    known = await read(desk, action_id)
    if report.stop:  # whatever else is wrong with the report: what the customer said counts
        async with desk.database.transaction() as connection:
            now = desk.clock.now()
            said = stopping.opt_out(known.delivery.contact, now, f"visit:{holder}")
            await stopping.record_facts(connection, said, now, desk.partitions)
    if _has_said(known, holder, report.result):
        return known
    _require_in_hands(known, holder)
    async with desk.database.transaction() as connection:
        now = desk.clock.now()
        stored, holding = await _lock_held(connection, action_id, holder)
        step = life.learn(stored, OUTCOMES[report.result], now, detail=f"visit: {report.result}")
        ended = replace(holding, reported_at=now, result=report.result, note=report.note, next_step=report.next_step)
        await _end(connection, desk, ended, step)
    claiming.count([step] if step else [])
    return await read(desk, action_id)


async def release(team: Team, action_id: str, holder: str, note: str) -> Task:
    """Not made, and surely so: it may be claimed again, or, if it was withdrawn meanwhile, it is over. Raises a 404 or 409 `Problem`."""
    desk = team.desk
    known = await read(desk, action_id)
    if _has_said(known, holder, RELEASED):
        return known
    _require_in_hands(known, holder)
    async with desk.database.transaction() as connection:
        now = desk.clock.now()
        stored, holding = await _lock_held(connection, action_id, holder)
        step = life.conclude(stored, Refused(detail="released by who held it", permanent=False), now)
        await _end(connection, desk, replace(holding, reported_at=now, result=RELEASED, note=note), step)
    claiming.count([step] if step else [])
    return await read(desk, action_id)


async def read(desk: Desk, action_id: str) -> Task:
    """The task as it is. Raises a 404 `Problem` for what is no visit."""
    async with desk.database.transaction() as connection:
        delivery = await store.find(connection, action_id)
        if delivery is None or delivery.contact.channel != CHANNEL:
            raise Problem(404, "not-found", f"there is no task of action {action_id!r}")
        return Task(delivery, await table.newest(connection, action_id))


async def may_be_claimed(connection: AsyncConnection, found: list[Delivery], now: datetime) -> list[Delivery]:
    """Those that the gate would let through now, by the stops that were read. A claim asks again, and waits for those that were not."""
    stops = await facts.stops(connection, [d.contact for d in found])
    return [d for d in found if isinstance(gate.check(d.contact, stops, now, now), gate.Claim)]


async def _lock_held(connection: AsyncConnection, action_id: str, holder: str) -> tuple[Delivery, Holding]:
    stored = await store.lock_one(connection, action_id)
    assert stored is not None, "deliveries are never deleted"
    holding = await table.newest(connection, action_id)
    _require_in_hands(Task(stored, holding), holder)
    assert holding is not None
    return stored, holding


async def _end(connection: AsyncConnection, desk: Desk, holding: Holding, step: Step | None) -> None:
    closed = await table.close(connection, holding)
    assert closed, "whoever reports has the delivery locked"
    await store.report(connection, [step] if step else [], desk.partitions)


def _has_said(task: Task, holder: str, result: str) -> bool:
    return task.holding is not None and task.holding.holder == holder and task.holding.result == result


def _require_in_hands(task: Task, holder: str) -> None:
    if is_in_hands(task.delivery, task.holding, holder):
        return
    said = task.holding.result if task.holding is not None and task.holding.holder == holder else ""
    detail = f"you have said already: {said}" if said else "you do not have this task; claim it first"
    raise Problem(409, "not-held", detail)


def _not_open(task: Task, now: datetime) -> Problem:
    delivery = task.delivery
    if delivery.state == "due" and delivery.due_at > now:
        why = f"the customer's hours open at {delivery.due_at.isoformat()}"
    elif delivery.state == "due":
        why = "somebody is coming for it, or it was given back a moment ago; try again soon"
    else:
        why = " ".join((_WHY_NOT.get(delivery.state, f"it is {delivery.state}"), delivery.detail)).strip()
    return Problem(409, "not-open", f"this task cannot be claimed: {why}")

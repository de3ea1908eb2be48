"""What those who dial do: come for calls (that is the claim), say what came of them, and keep them for longer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nextwave_contracts.actions import Contact
from nextwave_runtime.problem import Problem
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import claiming, stopping, store
from nextwave_channels import delivery as life
from nextwave_channels.answers import Refused
from nextwave_channels.call_lists.entry import ABANDONED, EVIDENCE, Recorded, Report, begins_before
from nextwave_channels.call_lists.promises import promised
from nextwave_channels.call_lists.release import CHANNEL
from nextwave_channels.claiming import Desk
from nextwave_channels.delivery import Delivery, Step
from nextwave_channels.dispatcher import STALE
from nextwave_channels.horizon import ClaimsWaitError
from nextwave_channels.pacing import Pace
from nextwave_channels.store import Selection


@dataclass(frozen=True, slots=True)
class HandedOut:
    """An entry, and until when the call may begin (business time)."""

    delivery: Delivery
    call_before: datetime

    @property
    def contact(self) -> Contact:
        """Whom to call, and what to say."""
        return self.delivery.contact


async def pull(desk: Desk, name: str, limit: int, pace: Pace) -> list[HandedOut]:
    """Up to `limit` calls of a list, claimed for `pace.lease_seconds`. Raises a 503 `Problem` when nothing may be claimed right now."""
    try:
        claimed = await claiming.claim(desk, Selection(CHANNEL, list=name), limit, pace) or []
    except ClaimsWaitError as wait:
        raise Problem(503, "claims-wait", f"no call may leave right now: {wait}; try again", retry_after_seconds=1) from wait
    ends = lease_ends(desk, pace.lease_seconds)
    fresh = [each for each in claimed if claiming.is_fresh(desk, each, pace)]
    for each in claimed:
        if each not in fresh:
            await claiming.record(desk, each.delivery, STALE)
    now = desk.clock.now()
    return [HandedOut(each.delivery, begins_before(each.contact, now, ends)) for each in fresh]


async def report(desk: Desk, name: str, said: Report, by: str) -> Recorded:
    """What came of one entry, in a transaction of its own. The same again changes nothing."""
    async with desk.database.transaction() as connection:
        now = desk.clock.now()
        known = await store.find(connection, said.entry_id)
        if known is None or known.contact.channel != CHANNEL or known.contact.list != name:
            return Recorded(entry_id=said.entry_id, detail="there is no such entry on this list")
        if said.stop:  # the gate's lock comes before any row's
            await stopping.record_facts(connection, stopping.opt_out(known.contact, now, f"call:{by}"), now, desk.partitions)
        stored = await store.lock_one(connection, said.entry_id)
        assert stored is not None, "deliveries are never deleted"
        if stored.attempt != said.attempt:
            detail = f"it was handed out again since: this is attempt {stored.attempt}, not {said.attempt}"
            return Recorded(entry_id=said.entry_id, state=stored.state, detail=detail)
        steps = _steps(stored, said, now)
        for step in steps:
            await store.report(connection, [step], desk.partitions)
        after = steps[-1].delivery if steps else stored
        kept = await _promise(connection, desk, said, after, now)
    claiming.count(steps)
    return replace(kept, state=after.state)


async def extend(desk: Desk, name: str, entry: tuple[str, int], lease_seconds: float) -> HandedOut | None:
    """Keeps an entry (its id and attempt) for so long from now; None when it is over, retracted, or in somebody else's hands."""
    async with desk.database.transaction() as connection:
        now = desk.clock.now()
        stored = await store.lock_one(connection, entry[0])
        if stored is None or (stored.contact.channel, stored.contact.list, stored.attempt) != (CHANNEL, name, entry[1]):
            return None
        call_before = begins_before(stored.contact, now, lease_ends(desk, lease_seconds))
        if stored.state != "sending" or stored.withdrawn_reason or call_before <= now:
            return None
        held = replace(stored, held_seconds=lease_seconds)
        await store.report(connection, [Step(held, now)], desk.partitions)
        return HandedOut(held, call_before)


def lease_ends(desk: Desk, seconds: float) -> datetime:
    """The business instant so many wall seconds from now."""
    return desk.clock.at(desk.clock.wall() + seconds)


def _steps(stored: Delivery, said: Report, now: datetime) -> list[Step]:
    """A talk has a beginning and an end: both are steps, so that its length is known."""
    if said.result == "not_called":
        refused = life.conclude(stored, Refused(detail="not called", permanent=False), now)
        return [refused] if refused else []
    began = None
    if said.result == "answered" and said.talk_seconds:
        began = life.learn(stored, "delivered", now - timedelta(seconds=said.talk_seconds), detail="call: connected")
    detail = ABANDONED + ": no agent was free" if said.result == "abandoned" else f"call: {said.result}"
    ended = life.learn(began.delivery if began else stored, EVIDENCE[said.result], now, detail=detail)
    return [step for step in (began, ended) if step]


async def _promise(connection: AsyncConnection, desk: Desk, said: Report, after: Delivery, now: datetime) -> Recorded:
    if said.callback_at is None:
        return Recorded(entry_id=said.entry_id)
    contact = promised(after.contact, said.callback_at, now)
    if contact is None:
        detail = "no call back is queued: it is not known that this customer may be called then; post call.wrapped_up with the wish instead"
        return Recorded(entry_id=said.entry_id, detail=detail)
    await store.insert(connection, [life.queue(contact, said.callback_at)], now, desk.partitions)
    return Recorded(entry_id=said.entry_id, callback=contact.action_id)

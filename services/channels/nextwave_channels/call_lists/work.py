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
from nextwave_channels.call_lists import table
from nextwave_channels.call_lists.entry import ABANDONED, EVIDENCE, Recorded, Report, begins_before, not_theirs
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
    """An entry, and until when the call may begin (business time). `opened`: whoever asks came for it, and so sees the number."""

    delivery: Delivery
    call_before: datetime
    opened: bool = True

    @property
    def contact(self) -> Contact:
        """Whom to call, and what to say."""
        return self.delivery.contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """An entry that must not be called, or, where it is in other hands (`refused` says so), not by whoever asks."""

    entry_id: str
    refused: str = ""


async def pull(desk: Desk, name: str, limit: int, pace: Pace, holder: str) -> list[HandedOut]:
    """Up to `limit` calls of a list, in the hands of `holder` for `pace.lease_seconds`.

    Raises a 503 `Problem` when nothing may be claimed right now.
    """

    async def keep(connection: AsyncConnection, taken: list[Delivery]) -> None:
        await table.hold(connection, taken, holder)

    try:
        claimed = await claiming.claim(desk, Selection(CHANNEL, list=name), limit, pace, keep) or []
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
    """What came of one entry, in a transaction of its own. The same again changes nothing. A stop counts whoever says it, and always."""
    async with desk.database.transaction() as connection:
        now = desk.clock.now()
        known = await store.find(connection, said.entry_id)
        if known is None or known.contact.channel != CHANNEL:
            return Recorded(entry_id=said.entry_id, refused="there is no such entry; say the entry_id as it was handed out")
        if said.stop:  # the gate's lock comes before any row's
            await stopping.record_facts(connection, stopping.opt_out(known.contact, now, f"call:{by}"), now, desk.partitions)
        stored = await store.lock_one(connection, said.entry_id)
        assert stored is not None, "deliveries are never deleted"
        if stored.contact.list != name:
            return Recorded(entry_id=said.entry_id, refused=f"it is on another list: report it there, to {stored.contact.list!r}")
        if stored.attempt != said.attempt:
            detail = f"it was handed out again since: this is attempt {stored.attempt}, not {said.attempt}"
            return Recorded(entry_id=said.entry_id, state=stored.state, detail=detail)
        refused = not_theirs(stored, await table.holder_of(connection, stored), by)
        if refused:
            return Recorded(entry_id=said.entry_id, refused=refused)
        steps = _steps(stored, said, now)
        for step in steps:
            await store.report(connection, [step], desk.partitions)
        after = steps[-1].delivery if steps else stored
        kept = await _promise(connection, desk, said, after, now)
    claiming.count(steps)
    return replace(kept, state=after.state)


async def extend(desk: Desk, name: str, entry: tuple[str, int], lease_seconds: float, by: str) -> HandedOut | Over:
    """Keeps an entry (its id and attempt) for so long from now."""
    async with desk.database.transaction() as connection:
        now = desk.clock.now()
        stored = await store.lock_one(connection, entry[0])
        if stored is None or (stored.contact.channel, stored.contact.list, stored.attempt) != (CHANNEL, name, entry[1]):
            return Over(entry_id=entry[0])
        holder = await table.holder_of(connection, stored)
        refused = not_theirs(stored, holder, by)
        call_before = begins_before(stored.contact, now, lease_ends(desk, lease_seconds))
        if refused or stored.state != "sending" or stored.withdrawn_reason or call_before <= now:
            return Over(entry_id=entry[0], refused=refused)
        held = replace(stored, held_seconds=lease_seconds)
        await store.report(connection, [Step(held, now)], desk.partitions)
        return HandedOut(held, call_before, opened=holder == by)


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
    if said.result != "answered" or said.stop:
        return Recorded(entry_id=said.entry_id, detail="no call back is queued: it needs an answer, and no stop")
    contact = promised(after.contact, said.callback_at, now)
    if contact is None:
        detail = "no call back is queued: it is not known that this customer may be called then; post call.wrapped_up with the wish instead"
        return Recorded(entry_id=said.entry_id, detail=detail)
    await store.insert(connection, [life.queue(contact, said.callback_at)], now, desk.partitions)
    return Recorded(entry_id=said.entry_id, callback=contact.action_id)

"""Evidence is taken in, once: stops that it carries take effect at once, its delivery learns of it, or it is kept for later."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
import structlog
from nextwave_contracts.channels import CHANNELS
from nextwave_contracts.identifiers import InvalidIdentifierError, blind, identifier
from nextwave_runtime import seen
from nextwave_runtime.clock import WallClock
from nextwave_runtime.database import UNAVAILABLE, Database
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import delivery as life
from nextwave_channels import metrics, stopping, store
from nextwave_channels.callbacks import unmatched
from nextwave_channels.callbacks.evidence import Evidence, Spent
from nextwave_channels.delivery import Delivery, Step
from nextwave_channels.stopping import Party

AT_ONCE = 4
"""Events of one callback that are taken in side by side, each in a transaction of its own."""
TRY_EVERY_SECONDS = 1.0
EXPIRE_EVERY = 600
"""Turns of trying between two looks for what has been kept too long."""
KIND_OF_ADDRESS: dict[str, str] = {name: terms.identifier for name, terms in CHANNELS.items()}
Result = Literal["taken", "repeated", "unmatched", "ignored"]
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """Takes evidence in."""

    database: Database
    clock: WallClock
    partitions: int
    identifier_key: bytes

    async def take_all(self, found: Sequence[Evidence | Spent | None], provider: str) -> None:
        """Takes the events of one callback in. An event that says nothing is counted and let go, so that nobody sends it again.

        Raises what the first of them raised; those that are taken in by then are repeats when the callback comes again.
        """
        turn = asyncio.Semaphore(AT_ONCE)

        async def take(one: Evidence | Spent | None) -> None:
            async with turn:
                await self.take(one, provider)

        try:
            async with asyncio.TaskGroup() as group:
                for one in found:
                    group.create_task(take(one))
        except ExceptionGroup as failed:
            away, ours = failed.split(UNAVAILABLE)
            raise (ours or away or failed).exceptions[0] from None

    async def take(self, found: Evidence | Spent | None, provider: str) -> Result:
        """Takes one piece of evidence in, at most once."""
        match found:
            case None:
                result: Result = "ignored"
            case Spent(event_id=event_id):
                result = await self._spend(event_id)
            case _:
                result = await self._take(_storable(found), provider)
        metrics.CALLBACKS.labels(provider, result).inc()
        return result

    async def try_again(self) -> bool:
        """Tries the next kept evidence again; False when there is none whose turn it is."""
        async with self.database.transaction() as connection:
            kept = await unmatched.lock_next(connection)
            if kept is None:
                return False
            action_id = await unmatched.action_of(connection, kept.evidence)
            if action_id is None:
                await unmatched.later(connection, kept)
                return True
            await unmatched.drop(connection, kept)
            step = await self._apply(connection, kept.evidence, action_id, kept.provider)
        _count(step)
        metrics.CALLBACKS.labels(kept.provider, "matched_later").inc()
        return True

    async def _spend(self, event_id: str) -> Result:
        async with self.database.transaction() as connection:
            return "ignored" if await self._is_new(connection, event_id) else "repeated"

    async def _is_new(self, connection: AsyncConnection, event_id: str) -> bool:
        return bool(await seen.first_time(connection, [f"callback\0{event_id}"], self.clock.today()))

    async def _take(self, found: Evidence, provider: str) -> Result:
        async with self.database.transaction() as connection:
            if not await self._is_new(connection, found.event_id):
                return "repeated"
            action_id = await unmatched.action_of(connection, found)
            if action_id is None:
                return await self._put_aside(connection, found, provider)
            step = await self._apply(connection, found, action_id, provider)
        _count(step)
        return "taken"

    async def _apply(self, connection: AsyncConnection, found: Evidence, action_id: str, provider: str) -> Step | None:
        now = self.clock.now()
        if found.effect:
            known = await store.find(connection, action_id)
            assert known is not None
            said = stopping.of_effect(found.effect, self._party(known), now, f"provider:{provider}")
            await stopping.record_facts(connection, said, now, self.partitions)
        stored = await store.lock_one(connection, action_id)
        assert stored is not None
        step = life.learn(stored, found.kind, now, detail=found.detail, provider_id=found.provider_id)
        await store.report(connection, [step] if step else [], self.partitions)
        return step

    async def _put_aside(self, connection: AsyncConnection, found: Evidence, provider: str) -> Result:
        """The delivery is not known, but whose address it was is: what they said must not wait until it is."""
        now = self.clock.now()
        subject = self._subject(found.channel, found.address)
        if found.effect and subject:
            stranger = Party(subjects=(subject,), address_subject=subject, channel=found.channel, purpose="marketing")
            said = stopping.of_effect(found.effect, stranger, now, f"provider:{provider}")
            await stopping.record_facts(connection, said, now, self.partitions)
        if not (found.action_id or found.provider_id):
            return "ignored"
        await unmatched.keep(connection, provider, found)
        return "unmatched"

    def _party(self, known: Delivery) -> Party:
        party = stopping.party_of(known.contact)
        return party if party.address_subject else replace(party, address_subject=self._subject(party.channel, known.contact.address))

    def _subject(self, channel: str, address: str) -> str:
        """The keyed hash of an address; nothing where it is none, or the channel's addresses name nobody."""
        try:
            return blind(identifier(KIND_OF_ADDRESS[channel], address), self.identifier_key)
        except (KeyError, InvalidIdentifierError):
            return ""


def _storable(found: Evidence) -> Evidence:
    """A NUL in a name can be looked up by no database, and one bad event must not stop the others of its callback."""
    plain = {name: getattr(found, name).replace("\0", "") for name in ("action_id", "provider_id", "address")}
    return msgspec.structs.replace(found, **plain)


async def watch_unmatched(inbox: Inbox) -> None:
    """Tries kept evidence again, and drops what was kept too long, until cancelled."""
    turns = 0
    while True:
        try:
            await _turn(inbox, expiring=turns % EXPIRE_EVERY == 0)
            turns += 1
        except UNAVAILABLE as error:
            _log.warning("unmatched_callbacks_wait", error=repr(error)[:300])
        await asyncio.sleep(TRY_EVERY_SECONDS)


async def _turn(inbox: Inbox, *, expiring: bool) -> None:
    while await inbox.try_again():
        pass
    if expiring:
        async with inbox.database.transaction() as connection:
            await unmatched.expire(connection)


def _count(step: Step | None) -> None:
    if step:
        metrics.STEPS.labels(step.delivery.contact.channel, step.delivery.state).inc()

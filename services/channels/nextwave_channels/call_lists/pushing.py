"""Calls pushed to a dialler: claimed as its agents can take them, and put on its lists.

What is on a list is `sending` until the dialler says more. A push whose answer is not known is taken off again (`retracting`): then it
surely was not called, or it was and the dialler says so.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial

import structlog
from nextwave_runtime.database import UNAVAILABLE

from nextwave_channels import claiming, store
from nextwave_channels import delivery as life
from nextwave_channels.adapters.dialler import Dialler
from nextwave_channels.answers import Accepted, Answer, Refused
from nextwave_channels.call_lists.entry import DIALLER, begins_before
from nextwave_channels.call_lists.release import CHANNEL
from nextwave_channels.call_lists.retracting import patiently
from nextwave_channels.call_lists.work import lease_ends
from nextwave_channels.claiming import Claimed, Desk
from nextwave_channels.delivery import Delivery, Step
from nextwave_channels.dispatcher import STALE, TROUBLE_SECONDS, Bell
from nextwave_channels.horizon import ClaimsWaitError, Waiting
from nextwave_channels.outlets import Outlets
from nextwave_channels.pacing import IDLE_SECONDS_MAX, Pace, idle_seconds
from nextwave_channels.store import Selection

TALK_SECONDS = 300.0
"""How much longer than a call may begin it is waited for a word on it."""
_log = structlog.get_logger()


@dataclass(slots=True)
class Pusher:
    """Pushes until cancelled. `outlets`: the dialler as a provider. `holds_seconds`: how long it has to begin a call."""

    desk: Desk
    dialler: Dialler
    outlets: Outlets
    bell: Bell
    holds_seconds: float

    async def push_all(self) -> None:
        """Claims and pushes; what was claimed when it is cancelled is still pushed."""
        waiting = Waiting(DIALLER, self.desk.monotonic)
        while True:
            if not self.outlets.worth_a_claim():
                await asyncio.sleep(self.outlets.seconds_until_room())
                continue
            turn = asyncio.create_task(self._turn(waiting))
            try:
                pushed = await asyncio.shield(turn)
            finally:
                await asyncio.wait({turn}, timeout=self.pace.deadline_seconds)
            if not pushed:
                await self.bell.wait(CHANNEL, idle_seconds(IDLE_SECONDS_MAX, None, self.desk.monotonic()))

    async def push_once(self) -> int:
        """Claims as many as may be pushed side by side, and pushes them; how many were claimed."""
        allot = partial(self.outlets.allot, self.outlets.pace.concurrency)
        claimed = await claiming.claim(self.desk, Selection(CHANNEL), allot, self.pace) or []
        for each in claimed:
            self.outlets.begin(each.contact.action_id, each.delivery.provider)
        await asyncio.gather(*(self._push(each) for each in claimed))
        return len(claimed)

    @property
    def pace(self) -> Pace:
        """A claimed call is nobody else's until the dialler had time to begin it and to speak of it."""
        return replace(self.outlets.pace, lease_seconds=self.holds_seconds + TALK_SECONDS)

    async def _turn(self, waiting: Waiting) -> int:
        try:
            pushed = await self.push_once() if await self._is_due() else 0
            waiting.is_over()
        except ClaimsWaitError as wait:
            waiting.goes_on(str(wait))
        except UNAVAILABLE as error:
            _log.warning("pushing_waits", error=repr(error)[:300])
            await asyncio.sleep(TROUBLE_SECONDS)
        else:
            return pushed
        return 0

    async def _is_due(self) -> bool:
        """A claim asks Kafka and holds locks, so it is only made where there is something to claim."""
        desk = self.desk
        due_at = desk.calls.next_due(await desk.dues.of_lists()) if desk.calls else None
        return due_at is not None and due_at <= desk.clock.now()

    async def _push(self, claimed: Claimed) -> None:
        delivery, desk = claimed.delivery, self.desk
        called: Answer | None = None
        try:
            if claiming.is_fresh(desk, claimed, self.pace):
                ends = lease_ends(desk, self.holds_seconds)
                called = await self.dialler.push(delivery, begins_before(delivery.contact, desk.clock.now(), ends))
        finally:
            self.outlets.end(delivery.contact.action_id, delivery.provider, called)
        await patiently(lambda: self._keep(delivery, called or STALE))

    async def _keep(self, delivery: Delivery, answer: Answer) -> None:
        match answer:
            case Refused():
                await claiming.record(self.desk, delivery, answer)
            case Accepted(provider_id=name):
                await self._note(delivery, name, "")
            case _:
                await self._note(delivery, "", f"not sure whether the dialler has it: {answer.detail}")

    async def _note(self, delivery: Delivery, name: str, why_off: str) -> None:
        """Writes down by which name the dialler has the entry, or that it must be taken off."""
        async with self.desk.database.transaction() as connection:
            now = self.desk.clock.now()
            stored = await store.lock_one(connection, delivery.contact.action_id)
            if stored is None or stored.attempt != delivery.attempt or stored.state != "sending":
                return
            step = life.withdraw(stored, now, why_off) if why_off else Step(replace(stored, provider_id=name), now)
            await store.report(connection, [step], self.desk.partitions)

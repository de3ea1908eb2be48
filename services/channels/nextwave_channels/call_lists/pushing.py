"""Calls pushed to a dialler: claimed as its agents can take them, put on its lists, and taken off when they must not be made.

What is on a list is `sending` until the dialler says more. A push whose answer is not known is taken off again: then it surely was not
called, or it was and the dialler says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import structlog
from nextwave_runtime.database import UNAVAILABLE
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import claiming, store
from nextwave_channels import delivery as life
from nextwave_channels.adapters.dialler import Dialler
from nextwave_channels.answers import Accepted, Answer, Refused
from nextwave_channels.call_lists import table
from nextwave_channels.call_lists.entry import begins_before
from nextwave_channels.call_lists.release import CHANNEL
from nextwave_channels.call_lists.work import lease_ends
from nextwave_channels.claiming import Claimed, Desk, Unlimited
from nextwave_channels.delivery import Delivery, Step
from nextwave_channels.dispatcher import RECORD_AGAIN_SECONDS, STALE, TROUBLE_SECONDS, Bell
from nextwave_channels.horizon import ClaimsWaitError, Waiting
from nextwave_channels.pacing import Pace
from nextwave_channels.store import Selection

PROVIDER = "dialler"
IDLE_SECONDS = 0.25
LOOK_SECONDS = 0.1
"""Between two looks for what must be taken off: a stop takes effect within a second."""
AGAIN_SECONDS = (0.3, 0.3, 1.0, 2.0, 5.0)
"""Before the dialler is asked again to take an entry off; then always the last."""
TALK_SECONDS = 300.0
"""How much longer than a call may begin it is waited for a word on it."""
AT_ONCE = 100
_log = structlog.get_logger()


@dataclass(slots=True)
class Pusher:
    """Pushes and takes off, until cancelled. `holds_seconds`: how long the dialler has to begin a call."""

    desk: Desk
    dialler: Dialler
    bell: Bell
    holds_seconds: float
    concurrency: int = 8
    _asked: dict[tuple[str, int], tuple[int, float]] = field(default_factory=dict)
    """How often an entry was asked for, and when (steady seconds) it is asked for again."""

    async def push_all(self) -> None:
        """Claims and pushes; what was claimed when it is cancelled is still pushed."""
        waiting = Waiting(PROVIDER, self.desk.monotonic)
        while True:
            turn = asyncio.create_task(self._turn(waiting))
            try:
                pushed = await asyncio.shield(turn)
            finally:
                await asyncio.wait({turn}, timeout=self.pace.deadline_seconds)
            if not pushed:
                await self.bell.wait(CHANNEL, IDLE_SECONDS)

    async def push_once(self) -> int:
        """Claims as many as may be pushed side by side, and pushes them; how many were claimed."""
        claimed = await claiming.claim(self.desk, Selection(CHANNEL), self._allot, self.pace) or []
        await asyncio.gather(*(self._push(each) for each in claimed))
        return len(claimed)

    async def retract_all(self) -> None:
        """Takes off what must not be called."""
        while True:
            try:
                await self.retract_once()
            except UNAVAILABLE as error:
                _log.warning("retracting_waits", error=repr(error)[:300])
                await asyncio.sleep(TROUBLE_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)

    async def retract_once(self) -> None:
        """Asks the dialler for every entry whose turn it is."""
        async with self.desk.database.transaction() as connection:
            found = await table.to_retract(connection, PROVIDER, AT_ONCE)
        now, known = self.desk.monotonic(), {_key(delivery) for delivery in found}
        self._asked = {key: asked for key, asked in self._asked.items() if key in known}
        await asyncio.gather(*(self._retract(d) for d in found if self._asked.get(_key(d), (0, now))[1] <= now))

    @property
    def pace(self) -> Pace:
        """A claimed call is nobody else's until the dialler had time to begin it and to speak of it."""
        return Pace(concurrency=self.concurrency, lease_seconds=self.holds_seconds + TALK_SECONDS)

    async def _turn(self, waiting: Waiting) -> int:
        try:
            pushed = await self.push_once()
            waiting.is_over()
        except ClaimsWaitError as wait:
            waiting.goes_on(str(wait))
        except UNAVAILABLE as error:
            _log.warning("pushing_waits", error=repr(error)[:300])
            await asyncio.sleep(TROUBLE_SECONDS)
        else:
            return pushed
        return 0

    async def _allot(self, _connection: AsyncConnection) -> Unlimited:
        return Unlimited(self.concurrency, PROVIDER)

    async def _push(self, claimed: Claimed) -> None:
        delivery, desk = claimed.delivery, self.desk
        answer: Answer = STALE
        if claiming.is_fresh(desk, claimed, self.pace):
            ends = lease_ends(desk, self.holds_seconds)
            answer = await self.dialler.push(delivery, begins_before(delivery.contact, desk.clock.now(), ends))
        await _patiently(lambda: self._keep(delivery, answer))

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

    async def _retract(self, delivery: Delivery) -> None:
        said = await self.dialler.retract(delivery)
        if said == "gone":
            off = Refused(detail="taken off the dialler's list", permanent=False)
            await _patiently(lambda: claiming.record(self.desk, delivery, off))
            return
        times = self._asked.get(_key(delivery), (0, 0.0))[0]
        wait = float("inf") if said == "called" else AGAIN_SECONDS[min(times, len(AGAIN_SECONDS) - 1)]
        self._asked[_key(delivery)] = (times + 1, self.desk.monotonic() + wait)


def _key(delivery: Delivery) -> tuple[str, int]:
    return delivery.contact.action_id, delivery.attempt


async def _patiently(work: Callable[[], Awaitable[object]]) -> None:
    """Tries again while the database is away, a few times; after that the lease, or the next look, decides."""
    for wait in (*RECORD_AGAIN_SECONDS, None):
        try:
            await work()
        except UNAVAILABLE as error:
            _log.warning("answer_not_recorded", error=repr(error)[:300])
            if wait is None:
                return
            await asyncio.sleep(wait)
        else:
            return

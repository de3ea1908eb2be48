"""Carries due deliveries out, one loop per channel: claim (see `claiming`), call the provider that was chosen, record its answer.

Several replicas may run it side by side.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from time import perf_counter

import structlog
from nextwave_runtime.database import UNAVAILABLE

from nextwave_channels import claiming, metrics
from nextwave_channels.answers import Answer, Refused, Uncertain
from nextwave_channels.call_lists.release import CHANNEL as CALLS
from nextwave_channels.claiming import Claimed, Desk
from nextwave_channels.delivery import Delivery
from nextwave_channels.horizon import ClaimsWaitError, Waiting
from nextwave_channels.outlets import Outlet, Outlets
from nextwave_channels.pacing import idle_seconds
from nextwave_channels.store import Selection
from nextwave_channels.tally import kind_of

TROUBLE_SECONDS = 1.0
AGAIN_SECONDS = 0.1
"""Before a claim that had to wait is tried again."""
RECORD_AGAIN_SECONDS = (0.2, 1.0, 3.0)
"""Waits before an answer is recorded again when the database is away; after them the lease decides."""
STALE = Refused(detail="not sent: too long after its claim", permanent=False, asked=False)
"""What is recorded, instead of a call of the provider, when the process stood still between claim and send. It fails nothing."""
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


class Dispatcher:
    """One channel's loop over its providers."""

    def __init__(self, outlets: Outlets, desk: Desk, bell: Bell) -> None:
        self._channel = outlets.channel
        self._outlets = outlets
        self._pace = outlets.pace
        self._desk = desk
        self._bell = bell
        self._waiting = Waiting(outlets.channel, desk.monotonic)
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
        """See `claiming.claim`: what is due on this channel, as much as its providers can take."""
        claimed = await claiming.claim(self._desk, Selection(self._channel), partial(self._outlets.allot, limit), self._pace)
        for each in claimed or ():
            self._outlets.begin(each.contact.action_id, each.delivery.provider)
        return claimed

    async def send(self, claimed: Claimed) -> None:
        """Calls the provider for a claimed delivery, if the claim is fresh, and records what it said."""
        delivery, outlet = claimed.delivery, self._outlets.all[claimed.delivery.provider]
        called: Answer | None = None
        try:
            if claiming.is_fresh(self._desk, claimed, self._pace):
                called = await self._ask(delivery, outlet)
        finally:
            self._outlets.end(delivery.contact.action_id, outlet.provider, called)
        await self._record(delivery, self._outlets.onward(outlet.provider, called or STALE))

    async def _record(self, delivery: Delivery, answer: Answer) -> None:
        for wait in (*RECORD_AGAIN_SECONDS, None):
            try:
                await claiming.record(self._desk, delivery, answer)
            except UNAVAILABLE as error:
                said = type(answer).__name__
                _log.warning("answer_not_recorded", action_id=delivery.contact.action_id, answer=said, error=repr(error)[:300])
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
        if not self._outlets.worth_a_claim():
            await self._room()
            return 0.0
        due_at = await self._next_due()
        is_due = due_at is not None and due_at <= self._desk.clock.now()
        claimed = await self.claim(self._pace.concurrency) if is_due else None
        for each in claimed or ():
            task = asyncio.create_task(self.send(each))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        if claimed is not None:
            return 0.0
        until_due = None if due_at is None or is_due else self._desk.until(due_at)
        idle = idle_seconds(waited, until_due, self._desk.monotonic())
        return 0.0 if await self._bell.wait(self._channel, idle) else idle

    async def _next_due(self) -> datetime | None:
        desk = self._desk
        if desk.calls and self._channel == CALLS:
            return desk.calls.next_due(await desk.dues.of_lists())
        return await desk.dues.of_channel(self._channel)

    async def _room(self) -> None:
        """Waits until a send ends, or a provider may be asked again."""
        seconds = self._outlets.seconds_until_room()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(seconds)

    async def _ask(self, delivery: Delivery, outlet: Outlet) -> Answer:
        assert outlet.adapter is not None, "a dispatcher's providers have adapters"
        started = perf_counter()
        try:
            async with asyncio.timeout(outlet.pace.deadline_seconds):
                answer = await outlet.adapter.send(delivery.contact)
        except TimeoutError:
            answer = Uncertain(detail="no answer within the deadline")
        except Exception as error:  # noqa: BLE001  (a defect of an adapter must not make a second send possible)
            _log.exception("adapter_failed", channel=self._channel, action_id=delivery.contact.action_id)
            answer = Uncertain(detail=f"adapter failed: {type(error).__name__}")
        metrics.SEND.labels(self._channel, outlet.provider, kind_of(answer)).observe(perf_counter() - started)
        return answer

"""Calls taken off the dialler's lists when they must not be made: each by a task of its own, so that none waits for another's answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from nextwave_runtime.database import UNAVAILABLE

from nextwave_channels import claiming
from nextwave_channels.adapters.dialler import Dialler
from nextwave_channels.answers import Refused
from nextwave_channels.call_lists import table
from nextwave_channels.call_lists.entry import DIALLER
from nextwave_channels.claiming import Desk
from nextwave_channels.delivery import Delivery
from nextwave_channels.dispatcher import RECORD_AGAIN_SECONDS, TROUBLE_SECONDS

LOOK_SECONDS = 0.1
"""Between two looks for what must be taken off: a stop takes effect within a second."""
AGAIN_SECONDS = (0.3, 0.3, 1.0, 2.0, 5.0)
"""Before the dialler is asked again to take an entry off; then always the last."""
LOOKED_AT = 100
"""Entries that one look sees beside those that were asked for before."""
UNDER_WAY_MAX = 48
"""Entries that are asked for at once; connections for pushing are left."""
RECORDS_MAX = 8
"""Answers recorded at once: others need the database's connections, too."""
END_SECONDS = 15.0
_log = structlog.get_logger()
Key = tuple[str, int]
"""An action, and the attempt that is on the dialler's list."""


@dataclass(slots=True)
class Retractor:
    """Looks for what must be taken off, and asks the dialler until it is sure."""

    desk: Desk
    dialler: Dialler
    _asked: dict[Key, tuple[int, float]] = field(default_factory=dict)
    """How often an entry was asked for, and when (steady seconds) it is asked for again."""
    _under_way: dict[Key, asyncio.Task[None]] = field(default_factory=dict)
    _records: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(RECORDS_MAX))

    async def retract_all(self) -> None:
        """Takes off what must not be called, until cancelled; then what is under way is still recorded."""
        try:
            while True:
                try:
                    await self.look()
                except UNAVAILABLE as error:
                    _log.warning("retracting_waits", error=repr(error)[:300])
                    await asyncio.sleep(TROUBLE_SECONDS)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            if self._under_way:
                await asyncio.wait(self._under_way.values(), timeout=END_SECONDS)

    async def look(self) -> list[asyncio.Task[None]]:
        """Begins to ask the dialler for every entry whose turn it is, as many as may be under way; those asked least often first."""
        async with self.desk.database.connection() as connection:
            known = await table.to_retract(connection, DIALLER, LOOKED_AT + len(self._asked) + len(self._under_way))
            self._asked = {key: asked for key, asked in self._asked.items() if key in known}
            turn = self._turn(known)
            found = await table.retracted(connection, [action_id for action_id, _ in turn]) if turn else []
        return [self._begin(delivery) for delivery in found]

    def _turn(self, known: list[Key]) -> list[Key]:
        now = self.desk.monotonic()
        turn = [key for key in known if key not in self._under_way and self._asked.get(key, (0, now))[1] <= now]
        turn.sort(key=lambda key: self._asked.get(key, (0, now))[0])
        return turn[: UNDER_WAY_MAX - len(self._under_way)]

    def _begin(self, delivery: Delivery) -> asyncio.Task[None]:
        key = delivery.contact.action_id, delivery.attempt
        task = asyncio.create_task(self._retract(key, delivery))
        self._under_way[key] = task
        task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return task

    async def _retract(self, key: Key, delivery: Delivery) -> None:
        said = await self.dialler.retract(delivery)
        if said == "gone":
            off = Refused(detail="taken off the dialler's list", permanent=False)
            async with self._records:
                await patiently(lambda: claiming.record(self.desk, delivery, off))
            return
        times = self._asked.get(key, (0, 0.0))[0]
        wait = float("inf") if said == "called" else AGAIN_SECONDS[min(times, len(AGAIN_SECONDS) - 1)]
        self._asked[key] = (times + 1, self.desk.monotonic() + wait)


async def patiently(work: Callable[[], Awaitable[object]]) -> None:
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

"""When something is next due, asked once for all loops of a replica that ask together: most of the time nothing is, and each would ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Generic, TypeVar

from nextwave_runtime.database import Database

from nextwave_channels import store
from nextwave_channels.call_lists import table

SHARED_SECONDS = 0.01
"""Who asks so soon after another one has the same answer: idle loops wake together (see `pacing`)."""
Answer = TypeVar("Answer")


class Shared(Generic[Answer]):
    """One question, whose answer those share who ask while it is under way or just was. `steady` gives seconds."""

    def __init__(self, ask: Callable[[], Awaitable[Answer]], steady: Callable[[], float]) -> None:
        self._ask = ask
        self._steady = steady
        self._asked_at = float("-inf")
        self._answer: asyncio.Future[Answer] | None = None

    async def look(self) -> Answer:
        """The answer. Raises what asking raised."""
        now = self._steady()
        if self._answer is None or now - self._asked_at > SHARED_SECONDS:
            self._asked_at = now
            self._answer = asyncio.ensure_future(self._ask())
        return await asyncio.shield(self._answer)


class Dues:
    """The earliest business instant at which something queued is due."""

    def __init__(self, database: Database, steady: Callable[[], float]) -> None:
        self._database = database
        self._channels = Shared(self._of_channels, steady)
        self._lists = Shared(self._of_lists, steady)

    async def of_channel(self, channel: str) -> datetime | None:
        """None when nothing is queued for the channel."""
        return (await self._channels.look()).get(channel)

    async def of_lists(self) -> Mapping[str, datetime]:
        """Of calls, for each list on which any is queued."""
        return await self._lists.look()

    async def _of_channels(self) -> Mapping[str, datetime]:
        async with self._database.connection() as connection:
            return await store.next_due(connection)

    async def _of_lists(self) -> Mapping[str, datetime]:
        async with self._database.connection() as connection:
            return await table.due(connection)

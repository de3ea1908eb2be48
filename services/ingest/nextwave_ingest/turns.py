"""A long request must not keep others waiting: between its items they have their turn."""

from __future__ import annotations

import asyncio
import time

TURN_SECONDS = 0.005


class Turn:
    """The time one request works at a stretch."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = time.monotonic() + TURN_SECONDS

    async def pass_on(self) -> None:
        """Lets others work if this has lasted for some milliseconds; called after each item."""
        if time.monotonic() >= self._until:
            await asyncio.sleep(0)
            self._until = time.monotonic() + TURN_SECONDS

"""A long request must not keep others waiting: between its items they have their turn."""

from __future__ import annotations

import asyncio
import time

TURN_SECONDS = 0.005


class Turn:
    """The time one request works at a stretch."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until = time.monotonic() + TURN_SECONDS
        """When it is over (monotonic seconds), looked at after each item."""

    async def pass_on(self) -> None:
        """Lets others work."""
        await asyncio.sleep(0)
        self.until = time.monotonic() + TURN_SECONDS

"""A follower at work for a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from nextwave_contracts.topics import Topic
from nextwave_ingest.follower import Follower


@asynccontextmanager
async def following(bootstrap: str, topic: Topic) -> AsyncIterator[tuple[Follower, list[bytes]]]:
    """A follower, and what it has read."""
    found: list[bytes] = []
    follower = Follower(bootstrap, topic, found.append)
    job = asyncio.create_task(follower.run())
    try:
        yield follower, found
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def until(true: Callable[[], bool], seconds: float) -> None:
    """Until that is so; `TimeoutError` if it takes longer."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  (what another task did is polled)
            await asyncio.sleep(0.02)

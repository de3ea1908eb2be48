"""Reviews that are over are forgotten once nothing about them can still come: their facts would be kept for ever and decide nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from nextwave_contracts.topics import HOLDS
from nextwave_runtime.database import UNAVAILABLE
from nextwave_runtime.seen import KEEP_DAYS

from nextwave_channels import facts, store
from nextwave_channels.claiming import Desk

KEPT = timedelta(days=KEEP_DAYS + (HOLDS.retention_days or 0))
"""A message that is repeated within the first is known, and one that waits to be read is gone after the second."""
REVIEWS_MAX = 200
"""Reviews forgotten at once: claims wait meanwhile."""
EVERY_SECONDS = 600.0
_log = structlog.get_logger()


async def forget(desk: Desk) -> int:
    """Forgets some reviews; returns how many facts that were."""
    before = desk.clock.now() - KEPT
    async with desk.database.transaction() as connection:
        past = await facts.past_reviews(connection, before, REVIEWS_MAX)
        if not past:
            return 0
        await store.enter_stop(connection)
        return await facts.forget_reviews(connection, past, before)


async def watch(desk: Desk) -> None:
    """Forgets what is past, until cancelled."""
    while True:
        try:
            forgotten = await forget(desk) if desk.clock.sure else 0
        except UNAVAILABLE as error:
            forgotten = 0
            _log.warning("forgetting_waits", error=repr(error)[:300])
        if not forgotten:
            await asyncio.sleep(EVERY_SECONDS)

"""Kills the relay program at an exact place, or slows it down; nothing of this is in the services."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from nextwave_runtime import batch, outbox, publisher


def between_commit_and_publish() -> None:
    """The process ends as soon as it has committed a batch with messages, before it sends them."""

    async def die(self: Any, records: Sequence[outbox.Record]) -> None:
        if any(b'"detail"' in r.value for r in records):
            os._exit(9)

    publisher.Publisher.publish = die  # type: ignore[method-assign]


def slow(seconds: float) -> None:
    """Every batch takes longer."""
    work = batch.Desk.apply

    async def slowly(*arguments: Any) -> Any:
        await asyncio.sleep(seconds)
        return await work(*arguments)

    batch.Desk.apply = slowly  # type: ignore[method-assign,assignment]

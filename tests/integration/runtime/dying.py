"""Breaks one mechanism of the processor, or kills at an exact place, in the relay program only; nothing of this is in the services."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import date
from typing import Any

from nextwave_runtime import batch, outbox, progress, publisher, seen, sifting
from nextwave_runtime.progress import Input
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


def apply(broken: str, dies: str, slow_seconds: float) -> None:
    """Changes the runtime of this process: `broken` is a mechanism or empty, `dies` a place or empty, every save takes longer."""
    if broken:
        _BROKEN[broken]()
    if dies:
        _DIES[dies]()
    if slow_seconds:
        _slow(slow_seconds)


def _without_seen() -> None:
    async def everything_is_new(connection: AsyncConnection, ids: Sequence[str], day: date) -> set[str]:
        return set(ids)

    seen.first_time = everything_is_new


def _without_marks() -> None:
    def always_new(*_places: Any, **_flags: Any) -> str:
        return "new"

    sifting.judge = always_new  # type: ignore[assignment]


def _without_fence() -> None:
    unconditional = str(progress._ADVANCE).partition(" and epoch")[0]
    progress._ADVANCE = text(unconditional)


def _without_outbox() -> None:
    async def nothing(connection: AsyncConnection, key: Input) -> list[Any]:
        return []

    outbox.pending = nothing


def _between_commit_and_publish() -> None:
    async def die(self: Any, records: Sequence[outbox.Record]) -> None:
        if any(b'"detail"' in r.value for r in records):
            os._exit(9)

    publisher.Publisher.publish = die  # type: ignore[method-assign]


def _slow(seconds: float) -> None:
    work = batch.Desk.apply

    async def slowly(*arguments: Any) -> Any:
        await asyncio.sleep(seconds)
        return await work(*arguments)

    batch.Desk.apply = slowly  # type: ignore[method-assign,assignment]


_BROKEN = {"seen": _without_seen, "marks": _without_marks, "fence": _without_fence, "outbox": _without_outbox}
_DIES = {"between_commit_and_publish": _between_commit_and_publish}

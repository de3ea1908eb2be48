"""Questions that tell whether coming for an invitation is worth a claim. They lock nothing; the claim looks again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

NEWS_MAX = 1000
_READY = "channel = 'onsite' and state = 'due' and due_at <= :now and held_until <= clock_timestamp()"
_NEWS = Statement(
    f"select due_at, subjects from deliveries where {_READY} and due_at > :since order by due_at limit :limit"  # noqa: S608  (constants)
)
_WAITED_FOR = Statement(
    f"select subjects from deliveries where {_READY} and subjects && cast(:subjects as text[]) limit :limit"  # noqa: S608  (constants)
)


async def news(connection: AsyncConnection, since: datetime, now: datetime) -> tuple[set[str], datetime]:
    """Everybody for whom an invitation became due after `since`, and up to when that is all of them (`now`, unless there are too many)."""
    rows = await _NEWS.rows(connection, {"since": since, "now": now, "limit": NEWS_MAX})
    seen_until = rows[-1][0] if len(rows) >= NEWS_MAX else now
    return {subject for _, subjects in rows for subject in subjects}, seen_until


async def waited_for(connection: AsyncConnection, subjects: Collection[str], now: datetime) -> set[str]:
    """Which of these subjects have an invitation that is due."""
    if not subjects:
        return set()
    rows = await _WAITED_FOR.rows(connection, {"subjects": sorted(subjects), "now": now, "limit": NEWS_MAX})
    return {subject for (named,) in rows for subject in named}.intersection(subjects)

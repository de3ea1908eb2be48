"""Which messages born at a door were taken in before: 30 days of hashed ids, in day partitions that are dropped whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_runtime.database import Statement

KEEP_DAYS = 30
_NEW = Statement(
    "insert into seen (day, key) select cast(:day as date), k from unnest(cast(:keys as bytea[])) k"
    " where not exists (select from seen s where s.key = k and s.day >= cast(:oldest as date) and s.day <> cast(:day as date))"
    " order by k on conflict do nothing returning key"
)


async def first_time(connection: AsyncConnection, ids: Sequence[str], day: date) -> set[str]:
    """Remembers the ids and returns those that were not seen in the 30 days before, in the caller's transaction.

    `day` is the day of the message (not of its reading), so that a message read again asks about the same day.
    """
    if not ids:
        return set()
    by_key = {hashlib.blake2b(name.encode(), digest_size=12).digest(): name for name in ids}
    bound = {"day": day, "oldest": day - timedelta(days=KEEP_DAYS), "keys": list(by_key)}
    return {by_key[key] for (key,) in await _NEW.rows(connection, bound)}

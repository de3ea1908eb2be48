"""Which messages born at a door were taken in before: 30 days of hashed ids, in day partitions that are dropped whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

KEEP_DAYS = 30
_NEW = text(
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
    rows = await connection.execute(_NEW, bound)
    return {by_key[bytes(key)] for (key,) in rows.all()}

"""Latest times of deliveries that a build before this one queued: it left their column empty, and what has none there would never expire.

Nobody may claim them in time (a list that nobody pulls), so the claim's own check is not enough.
"""

from __future__ import annotations

from nextwave_contracts.actions import Contact
from nextwave_contracts.wire import decode
from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

_UNDATED = Statement(
    "select action_id, contact from deliveries where state = 'due' and not_after is null limit :limit for update skip locked"
)
_DATE = Statement(
    "update deliveries d set not_after = n.not_after from unnest(cast(:ids as text[]), cast(:not_afters as timestamptz[]))"
    " as n(action_id, not_after) where d.action_id = n.action_id"
)


async def date(connection: AsyncConnection, limit: int) -> int:
    """Writes down what the contacts say, of at most so many; returns of how many."""
    found = {row["action_id"]: decode(row["contact"], Contact).not_after for row in await _UNDATED.rows(connection, {"limit": limit})}
    if found:
        await _DATE.run(connection, {"ids": list(found), "not_afters": list(found.values())})
    return len(found)

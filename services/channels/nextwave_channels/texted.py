"""SQL of whom we texted: a stop names a number by its keyed hash only, so the number itself is that of our last text to it."""

from __future__ import annotations

from collections.abc import Iterable

from nextwave_contracts.actions import Contact
from nextwave_contracts.wire import decode
from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

LOOKED_AT_MAX = 20
"""Texts of a customer that are looked at for each name: some of them may have gone to another number of theirs."""

# No index is in the order of `changed_at`, so the planner never walks through all deliveries in order to find the few of a name.
_TEXTED = Statement(
    "select subject, contact from unnest(cast(:subjects as text[])) subject cross join lateral ("
    " select contact, changed_at from deliveries where channel = 'sms' and subjects @> array[subject]"
    " and state not in ('due', 'expired', 'withdrawn', 'failed') order by changed_at desc limit :limit) d"
    " order by subject, changed_at"
)


async def last_texts(connection: AsyncConnection, subjects: Iterable[str]) -> dict[str, Contact]:
    """By name of a number, the last text that went there, or may have. Names that are no number, or got no text, are left out."""
    rows = await _TEXTED.rows(connection, {"subjects": sorted(set(subjects)), "limit": LOOKED_AT_MAX})
    texts = [(row["subject"], decode(row["contact"], Contact)) for row in rows]
    return {subject: contact for subject, contact in texts if contact.address_subject == subject}

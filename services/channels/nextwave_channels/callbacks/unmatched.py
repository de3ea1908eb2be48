"""Evidence about deliveries that were not found: kept for 30 days and tried again, since a callback may overtake our own record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels.callbacks.evidence import Evidence

KEEP_DAYS = 30
KEPT_MAX = 100_000
"""Rows kept; beyond them the oldest go first."""
FIRST_SECONDS = 1.0
"""Before it is tried again for the first time; each further wait is twice as long, up to a day."""

# Two deliveries with one id of a provider (a queue's ids come round again) are no evidence about either.
_NAMED = Statement(
    "select action_id from deliveries where action_id = :action_id and cast(:channel as text) in ('', channel)"
    " union select min(action_id) from deliveries where :provider_id <> '' and provider_id = :provider_id"
    " and cast(:channel as text) in ('', channel)"
    " and not exists (select from deliveries where action_id = :action_id) having count(*) = 1"
)
_KEEP = Statement(
    "insert into unmatched (provider, action_id, provider_id, kind, received_at, try_at, evidence)"
    " values (:provider, :action_id, :provider_id, :kind, clock_timestamp(), clock_timestamp() + :seconds * interval '1 second', :evidence)"
)
_DUE = Statement(
    "select id, provider, evidence from unmatched where try_at <= clock_timestamp() order by try_at limit 1 for update skip locked"
)
_AGAIN = Statement(
    "update unmatched set tries = tries + 1, try_at = clock_timestamp()"
    " + least(:seconds * power(2, least(tries + 1, 20)), 86400) * interval '1 second' where id = :id"
)
_DROP = Statement("delete from unmatched where id = :id")
_EXPIRE = Statement(
    "delete from unmatched where received_at < clock_timestamp() - :days * interval '1 day'"
    " or id <= (select id from unmatched order by id desc offset :kept limit 1)"
)
_PAGE = Statement(
    "select id, provider, action_id, provider_id, kind, received_at, tries, evidence from unmatched"
    " where cast(:before as bigint) is null or id < :before order by id desc limit :limit"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """Evidence that waits for its delivery."""

    id: int
    provider: str
    evidence: Evidence


async def action_of(connection: AsyncConnection, found: Evidence) -> str | None:
    """The action of the delivery that evidence is about: by its own id, else by the provider's where that names exactly one.

    Who serves one channel is not heard about another's deliveries.
    """
    bound = {"action_id": found.action_id, "provider_id": found.provider_id[:200], "channel": found.channel}
    rows = await _NAMED.rows(connection, bound)
    return rows[0][0] if rows else None


async def keep(connection: AsyncConnection, provider: str, found: Evidence) -> None:
    """Keeps evidence, without the address."""
    bound = {
        "provider": provider,
        "action_id": found.action_id[:256],
        "provider_id": found.provider_id[:200],
        "kind": found.kind,
        "seconds": FIRST_SECONDS,
        "evidence": msgspec.json.encode(msgspec.structs.replace(found, address="")),
    }
    await _KEEP.run(connection, bound)


async def lock_next(connection: AsyncConnection) -> Kept | None:
    """The evidence whose turn it is, locked; None when there is none, or others have it."""
    rows = await _DUE.rows(connection)
    return Kept(rows[0][0], rows[0][1], msgspec.json.decode(rows[0][2], type=Evidence)) if rows else None


async def later(connection: AsyncConnection, kept: Kept) -> None:
    """Not found again: it waits twice as long as before."""
    await _AGAIN.run(connection, {"id": kept.id, "seconds": FIRST_SECONDS})


async def drop(connection: AsyncConnection, kept: Kept) -> None:
    """It was taken in."""
    await _DROP.run(connection, {"id": kept.id})


async def expire(connection: AsyncConnection) -> int:
    """Drops what is older than 30 days, and what is too much; returns how many."""
    return await _EXPIRE.run(connection, {"days": KEEP_DAYS, "kept": KEPT_MAX})


async def page(connection: AsyncConnection, before: int | None, limit: int) -> Sequence[dict[str, Any]]:
    """What is kept, newest first, from before the row `before` on."""
    rows = [dict(row) for row in await _PAGE.rows(connection, {"before": before, "limit": limit})]
    return [{**row, "detail": msgspec.json.decode(row["evidence"], type=Evidence).detail} for row in rows]

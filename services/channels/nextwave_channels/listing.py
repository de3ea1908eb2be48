"""What people ask of deliveries: pages and sums, read only, never on the way of a dispatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels.paging import after, instant
from nextwave_channels.paging import cursor as cursor_of

_PAGE = text(
    "select action_id, customer_id, campaign, wave, run_id, channel, purpose, state, due_at, attempt, detail, received_at, changed_at"
    " from deliveries where (cast(:customer as text) is null or customer_id = :customer)"
    " and (cast(:campaign as text) is null or campaign = :campaign) and (cast(:state as text) is null or state = :state)"
    " and (cast(:after_at as timestamptz) is null or (received_at, action_id) < (:after_at, :after_id))"
    " order by received_at desc, action_id desc limit :limit"
)
_ONE = text("select action_id, state, due_at, attempt, provider_id, detail, received_at, changed_at from deliveries where action_id = :id")
_STEPS = text("select kind, at, detail from steps where action_id = :id order by at, kind")
_STATES = text(
    "select channel, campaign, wave, state, count(*) as count from deliveries"
    " where cast(:campaign as text) is null or campaign = :campaign group by 1, 2, 3, 4 order by 1, 2, 3, 4"
)
_OUTCOMES = text(
    "select s.kind, count(*) as count from steps s where cast(:campaign as text) is null"
    " or exists (select from deliveries d where d.action_id = s.action_id and d.campaign = :campaign) group by 1 order by 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deliveries: None means any."""

    customer: str | None
    campaign: str | None
    state: str | None


async def page(connection: AsyncConnection, wanted: Wanted, cursor: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """Deliveries, newest first, and the cursor of the next page (None at the end)."""
    place = after(cursor, 2)
    bound = {
        "customer": wanted.customer,
        "campaign": wanted.campaign,
        "state": wanted.state,
        "after_at": instant(place[0]) if place else None,
        "after_id": place[1] if place else "",
        "limit": limit + 1,
    }
    rows = [dict(row) for row in (await connection.execute(_PAGE, bound)).mappings().all()]
    return rows[:limit], _next(rows, limit, ("received_at", "action_id"))


async def one(connection: AsyncConnection, action_id: str) -> dict[str, Any] | None:
    """One delivery with its history (`steps`), without what stands in the contact; None when it is unknown."""
    row = (await connection.execute(_ONE, {"id": action_id})).mappings().first()
    if row is None:
        return None
    steps = (await connection.execute(_STEPS, {"id": action_id})).mappings().all()
    return {**row, "steps": [dict(step) for step in steps]}


async def sums(connection: AsyncConnection, campaign: str | None) -> dict[str, Any]:
    """Deliveries by channel, campaign, wave and state; outcomes by kind."""
    states = (await connection.execute(_STATES, {"campaign": campaign})).mappings().all()
    outcomes = (await connection.execute(_OUTCOMES, {"campaign": campaign})).all()
    return {"deliveries": [dict(row) for row in states], "outcomes": dict(tuple(row) for row in outcomes)}


def _next(rows: Sequence[dict[str, Any]], limit: int, names: Sequence[str]) -> str | None:
    return cursor_of(*(rows[limit - 1][name] for name in names)) if len(rows) > limit else None

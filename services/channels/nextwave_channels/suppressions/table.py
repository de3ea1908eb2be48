"""What is asked of the suppression list: pages of it, by subject, kind, channel and purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

Place = tuple[str, str, str, str]
START: Place = ("", "", "", "")
_PAGE = Statement(
    "select subject, case kind when 'opt' then 'consent' else kind end as kind, channel, purpose, stopped, at, source, reason"
    " from stops where kind in ('opt', 'address') and (cast(:subject as text) is null or subject = :subject)"
    " and (subject, case kind when 'opt' then 'consent' else kind end, channel, purpose) > (:after, :kind, :channel, :purpose)"
    " order by subject, 2, channel, purpose limit :limit"
)


async def page(connection: AsyncConnection, subject: str | None, place: Place, limit: int) -> Sequence[dict[str, Any]]:
    """Suppressions of one subject or of all, from after a place on."""
    after, kind, channel, purpose = place
    bound = {"subject": subject, "after": after, "kind": kind, "channel": channel, "purpose": purpose, "limit": limit}
    return [dict(row) for row in await _PAGE.rows(connection, bound)]


def place_of(row: dict[str, Any]) -> Place:
    """Where a row stands."""
    return row["subject"], row["kind"], row["channel"], row["purpose"]

"""All SQL of tasks: who holds or held which, and the pages that account managers read. Deliveries themselves change in `store` alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nextwave_contracts.actions import Contact
from nextwave_contracts.wire import decode
from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels.delivery import Delivery
from nextwave_channels.tasks.task import CHANNEL, RELEASED, Holding

_DELIVERY = "d.contact, d.state, d.due_at, d.attempt, d.provider_id, d.detail, d.withdrawn_reason"
_HOLDING = "t.action_id, t.attempt as held_attempt, t.holder, t.claimed_at, t.until, t.reported_at, t.result, t.note, t.next_step"
_OF_TEAM = "(cast(:team as text) is null or d.list = :team)"

_KEEP = Statement(
    "insert into tasks (action_id, attempt, holder, claimed_at, until) select action_id, attempt, :holder, cast(:now as timestamptz), until"
    " from unnest(cast(:action_ids as text[]), cast(:attempts as int[]), cast(:ends as timestamptz[])) as n(action_id, attempt, until)"
)
_NEWEST = Statement(
    f"select {_HOLDING} from tasks t where t.action_id = :action_id order by t.attempt desc limit 1"  # noqa: S608  (constants, above)
)
_CLOSE = Statement(
    "update tasks set reported_at = :now, result = :result, note = :note, next_step = :next_step"
    " where action_id = :action_id and attempt = :attempt and reported_at is null"
)
# The order in which claims take them: what is owed first, then the most valuable.
_OPEN = Statement(
    f"select {_DELIVERY}, d.action_id, d.value, d.purpose in ('marketing', 'care') as offered from deliveries d"  # noqa: S608  (constants, above)
    f" where d.channel = :channel and d.state = 'due' and d.due_at <= :now and d.held_until <= clock_timestamp() and {_OF_TEAM}"
    " and (d.purpose in ('marketing', 'care'), -d.value, d.action_id) > (:after_offered, :after_value, :after_id)"
    " order by d.purpose in ('marketing', 'care'), -d.value, d.action_id limit :limit"
)
_HELD = Statement(
    f"select {_DELIVERY}, {_HOLDING} from tasks t join deliveries d on d.action_id = t.action_id and d.attempt = t.attempt"  # noqa: S608
    f" where t.holder = :holder and t.reported_at is null and d.state <> 'due' and {_OF_TEAM}"
    " and (t.claimed_at, t.action_id) > (cast(:after_at as timestamptz), :after_id) order by t.claimed_at, t.action_id limit :limit"
)
_DONE = Statement(
    f"select {_DELIVERY}, {_HOLDING} from tasks t join deliveries d on d.action_id = t.action_id and d.attempt = t.attempt"  # noqa: S608
    f" where t.reported_at is not null and t.result <> '{RELEASED}' and {_OF_TEAM}"
    " and (t.reported_at, t.action_id) < (cast(:after_at as timestamptz), :after_id) order by t.reported_at desc, t.action_id desc"
    " limit :limit"
)


@dataclass(frozen=True, slots=True)
class Task:
    """A visit and, where somebody came for it, who."""

    delivery: Delivery
    holding: Holding | None = None


async def keep(connection: AsyncConnection, held: Sequence[tuple[Delivery, datetime]], holder: str, now: datetime) -> None:
    """Writes down that `holder` came for these, each until its instant."""
    bound = {
        "holder": holder,
        "now": now,
        "action_ids": [d.contact.action_id for d, _ in held],
        "attempts": [d.attempt for d, _ in held],
        "ends": [until for _, until in held],
    }
    await _KEEP.run(connection, bound)


async def newest(connection: AsyncConnection, action_id: str) -> Holding | None:
    """Who came for the task last, or None."""
    rows = await _NEWEST.rows(connection, {"action_id": action_id})
    return _holding(rows[0]) if rows else None


async def close(connection: AsyncConnection, holding: Holding) -> bool:
    """Stores what the holder reported; False when something was reported before."""
    bound = {
        "now": holding.reported_at,
        "result": holding.result,
        "note": holding.note,
        "next_step": holding.next_step,
        "action_id": holding.action_id,
        "attempt": holding.attempt,
    }
    return await _CLOSE.run(connection, bound) == 1


async def open_page(
    connection: AsyncConnection, team: str | None, after: tuple[bool, float, str], now: datetime, limit: int
) -> list[tuple[Delivery, tuple[bool, float, str]]]:
    """Visits that are due, in the order in which they are worth claiming, each with its place."""
    bound = {
        "channel": CHANNEL,
        "team": team,
        "now": now,
        "after_offered": after[0],
        "after_value": after[1],
        "after_id": after[2],
        "limit": limit,
    }
    rows = await _OPEN.rows(connection, bound)
    return [(_delivery(row), (row["offered"], -row["value"], row["action_id"])) for row in rows]


async def held_page(connection: AsyncConnection, holder: str, team: str | None, after: tuple[datetime, str], limit: int) -> list[Task]:
    """What `holder` has in hands, longest held first."""
    bound = {"holder": holder, "team": team, "after_at": after[0], "after_id": after[1], "limit": limit}
    return [Task(_delivery(row), _holding(row)) for row in await _HELD.rows(connection, bound)]


async def done_page(connection: AsyncConnection, team: str | None, before: tuple[datetime, str], limit: int) -> list[Task]:
    """What was reported, newest first."""
    bound = {"team": team, "after_at": before[0], "after_id": before[1], "limit": limit}
    return [Task(_delivery(row), _holding(row)) for row in await _DONE.rows(connection, bound)]


def _delivery(row: Mapping[str, Any]) -> Delivery:
    names = ("state", "due_at", "attempt", "provider_id", "detail", "withdrawn_reason")
    return Delivery(contact=decode(row["contact"], Contact), **{name: row[name] for name in names})


def _holding(row: Mapping[str, Any]) -> Holding:
    names = ("action_id", "holder", "claimed_at", "until", "reported_at", "result", "note", "next_step")
    return Holding(attempt=row["held_attempt"], **{name: row[name] for name in names})

"""The lists of tasks: what may be claimed, what somebody holds, what was reported."""

from __future__ import annotations

from datetime import UTC, datetime

from nextwave_channels.claiming import Desk
from nextwave_channels.paging import after, cursor, instant, number
from nextwave_channels.tasks import table
from nextwave_channels.tasks.table import Task
from nextwave_channels.tasks.work import may_be_claimed

Page = tuple[list[Task], str | None]
"""Tasks, and the cursor of the next page."""
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


async def claimable(desk: Desk, team: str | None, given: str | None, limit: int) -> Page:
    """Tasks that the gate would let through now, those worth most first. A page may hold fewer than `limit`, and still lead to another."""
    place = after(given, 3)
    begin = (place[0] == "True", number(place[1]), place[2]) if place else (False, float("-inf"), "")
    now = desk.clock.now()
    async with desk.database.transaction() as connection:
        found = await table.open_page(connection, team, begin, now, limit + 1)
        allowed = await may_be_claimed(connection, [delivery for delivery, _ in found[:limit]], now)
    return [Task(delivery) for delivery in allowed], cursor(*found[limit - 1][1]) if len(found) > limit else None


async def held(desk: Desk, holder: str, team: str | None, given: str | None, limit: int) -> Page:
    """What `holder` has in hands, longest held first; also what was withdrawn meanwhile, or held too long."""
    place = after(given, 2)
    begin = (instant(place[0]), place[1]) if place else (FIRST, "")
    async with desk.database.transaction() as connection:
        found = await table.held_page(connection, holder, team, begin, limit + 1)
    return found[:limit], _next(found, limit, "claimed_at")


async def done(desk: Desk, team: str | None, given: str | None, limit: int) -> Page:
    """What was reported, newest first."""
    place = after(given, 2)
    begin = (instant(place[0]), place[1]) if place else (LAST, "")
    async with desk.database.transaction() as connection:
        found = await table.done_page(connection, team, begin, limit + 1)
    return found[:limit], _next(found, limit, "reported_at")


def _next(found: list[Task], limit: int, sorted_by: str) -> str | None:
    last = found[limit - 1].holding if len(found) > limit else None
    return cursor(getattr(last, sorted_by), last.action_id) if last else None

"""How the endpoints of webhooks do: whoever fails for days is disabled, until an operator enables it again. All SQL of endpoints."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from nextwave_runtime.database import UNAVAILABLE, Database, Statement
from sqlalchemy.ext.asyncio import AsyncConnection

FAILS_FOR = timedelta(days=5)
"""An endpoint that took nothing for so long (database time) is disabled. One that answers 410 is at once."""

_DISABLED = Statement("select reason from endpoints where channel = :channel and disabled_at is not null")
_SUCCEEDED = Statement(
    "update endpoints set failing_since = null, reason = '' where channel = :channel and failing_since is not null and disabled_at is null"
)
_FAILED = Statement(
    "insert into endpoints as e (channel, failing_since, disabled_at, reason)"
    " values (:channel, clock_timestamp(), case when :gone then clock_timestamp() end, :why)"
    " on conflict (channel) do update set failing_since = coalesce(e.failing_since, clock_timestamp()), reason = excluded.reason,"
    " disabled_at = case when :gone or e.failing_since < clock_timestamp() - cast(:fails_for as interval) then clock_timestamp() end"
    " where e.disabled_at is null returning disabled_at"
)
_ENABLE = Statement("update endpoints set failing_since = null, disabled_at = null, reason = '' where channel = :channel")
_ALL = Statement("select channel, failing_since, disabled_at, reason from endpoints")
_log = structlog.get_logger()


class Endpoints:
    """`Health` of endpoints, in the database, for all replicas."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def disabled(self, channel: str) -> str:
        """See `Health`. While the database is away it is not: the claim that came before found it there."""
        try:
            async with self._database.transaction() as connection:
                rows = await _DISABLED.rows(connection, {"channel": channel})
        except UNAVAILABLE as error:
            _log.warning("endpoint_not_looked_up", channel=channel, error=repr(error)[:300])
            return ""
        return rows[0][0] if rows else ""

    async def succeeded(self, channel: str) -> None:
        """See `Health`."""
        try:
            async with self._database.transaction() as connection:
                await _SUCCEEDED.run(connection, {"channel": channel})
        except UNAVAILABLE as error:
            _log.warning("endpoint_not_noted", channel=channel, error=repr(error)[:300])

    async def failed(self, channel: str, why: str, *, gone: bool) -> None:
        """See `Health`."""
        bound = {"channel": channel, "why": why[:200], "gone": gone, "fails_for": FAILS_FOR}
        try:
            async with self._database.transaction() as connection:
                rows = await _FAILED.rows(connection, bound)
        except UNAVAILABLE as error:
            _log.warning("endpoint_not_noted", channel=channel, error=repr(error)[:300])
            return
        if rows and rows[0][0] is not None:
            _log.error("endpoint_disabled", channel=channel, why=why)


async def enable(connection: AsyncConnection, channel: str) -> None:
    """Contacts go to it again, and it counts as never having failed."""
    await _ENABLE.run(connection, {"channel": channel})


async def standing(connection: AsyncConnection) -> dict[str, tuple[datetime | None, datetime | None, str]]:
    """By channel since when its endpoint fails, since when it is disabled, and its last failure."""
    return {channel: (failing, disabled, reason) for channel, failing, disabled, reason in await _ALL.rows(connection)}

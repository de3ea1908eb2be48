"""How the endpoints of webhooks do: whoever fails for days is disabled, until an operator enables it again. All SQL of endpoints."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from nextwave_runtime.database import UNAVAILABLE, Database, Statement
from sqlalchemy.ext.asyncio import AsyncConnection

LOOK_SECONDS = 1.0
"""How often what was heard is written down, and what was disabled or enabled elsewhere is read."""
FAILS_FOR = timedelta(days=5)
"""An endpoint that took nothing for so long (database time) is disabled. One that answers 410 is at once."""

_DISABLED = Statement("select channel, reason from endpoints where disabled_at is not null")
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


@dataclass(frozen=True, slots=True)
class Heard:
    """What one endpoint did since the last look: whether it took something, and its last failure, if that came after."""

    took: bool = False
    failure: str = ""
    gone: bool = False

    def then(self, later: Heard) -> Heard:
        """Both, in this order. Who said that it is gone stays so, whatever else was under way."""
        last = self if self.gone else later
        return Heard(self.took or later.took, last.failure, last.gone)


class Endpoints:
    """`Health` of endpoints: what is heard is kept until the next look writes it to the database, for all replicas."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._disabled: dict[str, str] = {}
        self._heard: dict[str, Heard] = {}

    def disabled(self, channel: str) -> str:
        """See `Health`: as it was at the last look."""
        return self._disabled.get(channel, "")

    def succeeded(self, channel: str) -> None:
        """See `Health`."""
        self._hear(channel, Heard(took=True))

    def failed(self, channel: str, why: str, *, gone: bool) -> None:
        """See `Health`."""
        self._hear(channel, Heard(failure=why[:200] or "it failed", gone=gone))

    async def watch(self) -> None:
        """Looks again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Writes down what was heard and reads which endpoints are disabled; while the database is away, both wait."""
        heard, self._heard = self._heard, {}
        try:
            async with self._database.transaction() as connection:
                for channel, each in heard.items():
                    await _note(connection, channel, each)
                self._disabled = dict(await _DISABLED.rows(connection))
        except UNAVAILABLE as error:
            later, self._heard = self._heard, heard
            for channel, each in later.items():
                self._hear(channel, each)
            _log.warning("endpoints_not_looked_up", error=repr(error)[:300])

    def _hear(self, channel: str, heard: Heard) -> None:
        self._heard[channel] = self._heard.get(channel, Heard()).then(heard)


async def _note(connection: AsyncConnection, channel: str, heard: Heard) -> None:
    if heard.took:
        await _SUCCEEDED.run(connection, {"channel": channel})
    if not heard.failure:
        return
    bound = {"channel": channel, "why": heard.failure, "gone": heard.gone, "fails_for": FAILS_FOR}
    rows = await _FAILED.rows(connection, bound)
    if rows and rows[0][0] is not None:
        _log.error("endpoint_disabled", channel=channel, why=heard.failure)


async def enable(connection: AsyncConnection, channel: str) -> None:
    """Contacts go to it again, and it counts as never having failed."""
    await _ENABLE.run(connection, {"channel": channel})


async def standing(connection: AsyncConnection) -> dict[str, tuple[datetime | None, datetime | None, str]]:
    """By channel since when its endpoint fails, since when it is disabled, and its last failure."""
    return {channel: (failing, disabled, reason) for channel, failing, disabled, reason in await _ALL.rows(connection)}

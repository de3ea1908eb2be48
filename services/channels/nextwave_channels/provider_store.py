"""All SQL about providers: the operators' word on each, and what is used of its rate. Replicas share the rows.

A claim locks the rows of its channel only where a rate must be kept exactly; it holds the claims' lock by then, and takes deliveries after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels.prices import Route
from nextwave_channels.rate import NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What an operator said last of a provider, and the state of its rate (see `rate`)."""

    enabled: bool = True
    reason: str = ""
    changed_by: str = ""
    changed_at: datetime | None = None
    whole_at: float = NEVER


_COLUMNS = "provider, enabled, reason, changed_by, changed_at, whole_at"
_CHANNEL = Statement(f"select {_COLUMNS} from providers where channel = :channel")  # noqa: S608  (a constant)
_LOCKED = Statement(
    f"select {_COLUMNS}, extract(epoch from clock_timestamp())::double precision as now"  # noqa: S608  (a constant)
    " from providers where channel = :channel order by provider for update"
)
_ALL = Statement(f"select channel, {_COLUMNS} from providers")  # noqa: S608  (a constant)
_KNOWN = Statement("insert into providers (channel, provider) select :channel, unnest(cast(:providers as text[])) on conflict do nothing")
_NOW = Statement("select extract(epoch from clock_timestamp())::double precision")
_SPENT = Statement(
    "update providers p set whole_at = n.whole_at from unnest(cast(:providers as text[]), cast(:wholes as double precision[]))"
    " as n(provider, whole_at) where p.channel = :channel and p.provider = n.provider"
)
_SAID = Statement(
    "insert into providers (channel, provider, enabled, reason, changed_by, changed_at)"
    " values (:channel, :provider, :enabled, :reason, :by, :at) on conflict (channel, provider) do update"
    " set enabled = excluded.enabled, reason = excluded.reason, changed_by = excluded.changed_by, changed_at = excluded.changed_at"
)


async def of_channel(connection: AsyncConnection, channel: str) -> dict[str, Word]:
    """What is known of the channel's providers."""
    return {provider: _word(row) for provider, *row in await _CHANNEL.rows(connection, {"channel": channel})}


async def lock_channel(connection: AsyncConnection, channel: str, rated: Sequence[str]) -> tuple[dict[str, Word], float]:
    """The same, locked, with rows for all of `rated` (at least one); and the database's time (Unix seconds), if anything a little early."""
    found = await _LOCKED.rows(connection, {"channel": channel})
    if not set(rated) <= {row["provider"] for row in found}:
        await _KNOWN.run(connection, {"channel": channel, "providers": sorted(rated)})
        found = await _LOCKED.rows(connection, {"channel": channel})
    return {provider: _word(row) for provider, *row, _ in found}, found[0]["now"]


async def spend(connection: AsyncConnection, channel: str, whole_at: Mapping[str, float]) -> None:
    """Writes down what was taken of rates."""
    names = sorted(whole_at)
    await _SPENT.run(connection, {"channel": channel, "providers": names, "wholes": [whole_at[name] for name in names]})


async def say(connection: AsyncConnection, route: Route, word: Word) -> None:
    """Stores an operator's word."""
    channel, provider = route
    said = {"enabled": word.enabled, "reason": word.reason, "by": word.changed_by, "at": word.changed_at}
    await _SAID.run(connection, {"channel": channel, "provider": provider, **said})


async def everything(connection: AsyncConnection) -> tuple[dict[Route, Word], float]:
    """All words, and the database's time (Unix seconds)."""
    ((now,),) = await _NOW.rows(connection)
    return {(channel, provider): _word(row) for channel, provider, *row in await _ALL.rows(connection)}, now


def _word(row: Sequence[object]) -> Word:
    enabled, reason, changed_by, changed_at, whole_at = row
    return Word(enabled=enabled, reason=reason, changed_by=changed_by, changed_at=changed_at, whole_at=whole_at)  # type: ignore[arg-type]

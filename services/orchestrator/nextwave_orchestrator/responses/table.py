"""SQL of the counts of contacts and answers: written by each partition's owner in its transaction, read as sums over all of them."""

from __future__ import annotations

from collections.abc import Mapping

from nextwave_runtime.database import Statement
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_orchestrator.responses.rates import Cell, Seen

CELLS_MAX = 20_000
"""Cells that are read, those with most contacts first; beyond it the wider rates serve."""
HALVES_MAX = 8
"""After so many half-lives counts weigh nothing any more, and are deleted."""
Counted = Mapping[tuple[int, Cell], Seen]
"""By week and cell."""

_ADD = Statement(
    "insert into response_counts (partition, week, segment, channel, hour, sent, answered)"
    " select cast(:partition as int), * from unnest(cast(:weeks as int[]), cast(:segments as text[]), cast(:channels as text[]),"
    " cast(:hours as int[]), cast(:sent as bigint[]), cast(:answered as bigint[]))"
    " on conflict (partition, week, segment, channel, hour) do update"
    " set sent = response_counts.sent + excluded.sent, answered = response_counts.answered + excluded.answered"
)
_READ = text(
    "with faded as (select segment, channel, hour, sent, answered, power(cast(0.5 as float8),"
    " greatest(cast(:week as int) - week, 0) * 7 / cast(:half_days as float8)) weight"
    " from response_counts where week > cast(:oldest as int))"
    " select segment, channel, hour, sum(sent * weight) sent, sum(answered * weight) answered from faded"
    " group by segment, channel, hour order by 4 desc, 1, 2, 3 limit :limit"
)
_FORGET = text("delete from response_counts where week <= cast(:oldest as int)")


async def add(connection: AsyncConnection, partition: int, counts: Counted) -> None:
    """Adds the counts of one batch, in the caller's transaction; rows in key order."""
    if not counts:
        return
    rows = sorted(counts.items())
    bound = {
        "partition": partition,
        "weeks": [week for (week, _), _ in rows],
        "segments": [cell.segment for (_, cell), _ in rows],
        "channels": [cell.channel for (_, cell), _ in rows],
        "hours": [cell.hour for (_, cell), _ in rows],
        "sent": [int(seen.sent) for _, seen in rows],
        "answered": [int(seen.answered) for _, seen in rows],
    }
    await _ADD.run(connection, bound)


async def read(connection: AsyncConnection, week: int, half_days: float) -> list[tuple[Cell, Seen]]:
    """The sums over all partitions; a week's counts weigh half after `half_days`, a quarter after twice as long."""
    bound = {"week": week, "oldest": _oldest(week, half_days), "half_days": half_days, "limit": CELLS_MAX}
    rows = await connection.execute(_READ, bound)
    return [(Cell(segment, channel, hour), Seen(float(sent), float(answered))) for segment, channel, hour, sent, answered in rows.all()]


async def forget(connection: AsyncConnection, week: int, half_days: float) -> None:
    """Deletes what weighs nothing any more."""
    await connection.execute(_FORGET, {"oldest": _oldest(week, half_days)})


def _oldest(week: int, half_days: float) -> int:
    """The newest week that is not counted any more."""
    return week - int(half_days * HALVES_MAX / 7) - 1

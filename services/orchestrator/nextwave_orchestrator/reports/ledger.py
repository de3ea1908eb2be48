"""SQL of the books: written by each partition's owner in its transaction, read as sums over partitions and days."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date

from nextwave_runtime.database import Statement
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_orchestrator.reports.books import Books, Entry, Sums
from nextwave_orchestrator.responses import table

_WRITE = Statement(
    "insert into bookings (partition, day, campaign, version, fact, code, wave, segment, channel, held_by, count, amount, loading)"
    " select cast(:partition as int), * from unnest(cast(:days as date[]), cast(:campaigns as text[]), cast(:versions as int[]),"
    " cast(:facts as text[]), cast(:codes as text[]), cast(:waves as text[]), cast(:segments as text[]), cast(:channels as text[]),"
    " cast(:held as text[]), cast(:counts as bigint[]), cast(:amounts as bigint[]), cast(:loadings as bigint[]))"
    " on conflict (campaign, day, partition, version, fact, code, wave, segment, channel, held_by) do update"
    " set count = bookings.count + excluded.count, amount = bookings.amount + excluded.amount,"
    " loading = bookings.loading + excluded.loading"
)
_COLUMNS = ("days", "campaigns", "versions", "facts", "codes", "waves", "segments", "channels", "held")
_READ = (
    "select {day}, campaign, {version}, fact, code, {wave}, {segment}, {channel}, held_by,"
    " sum(count)::bigint, sum(amount)::bigint, sum(loading)::bigint from bookings"
    " where (cast(:campaign as text) is null or campaign = :campaign) and (cast(:fact as text) is null or fact = :fact)"
    " and (cast(:since as date) is null or day >= :since) and (cast(:until as date) is null or day < :until)"
    " group by 1, 2, 3, 4, 5, 6, 7, 8, 9 order by 1, 2, 3, 4, 5, 6, 7, 8, 9 limit :most"
)
_NEWEST = text("select max(day) from bookings where cast(:campaign as text) is null or campaign = :campaign")
_TOGETHER = {
    "day": "cast('1970-01-01' as date)",
    "version": "0",
    "wave": "cast('' as text)",
    "segment": "cast('' as text)",
    "channel": "cast('' as text)",
}
"""What stands for a dimension over which is summed."""
DIVIDED: frozenset[str] = frozenset(_TOGETHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which entries: of a campaign, of a fact, of the days (UTC) from `since` on and before `until`; None restricts nothing.

    They are summed over what is not in `by` (of `DIVIDED`; campaign, fact, code and holdout always divide). `most`: no more entries.
    """

    campaign: str | None = None
    fact: str | None = None
    since: date | None = None
    until: date | None = None
    by: frozenset[str] = DIVIDED
    most: int | None = None


async def write(connection: AsyncConnection, partition: int, books: Books) -> None:
    """Adds what a batch booked, in the caller's transaction; rows in key order."""
    await table.add(connection, partition, books.answers)
    if not books.entries:
        return
    rows = sorted(books.entries.items())
    bound: dict[str, object] = {name: [entry[n] for entry, _ in rows] for n, name in enumerate(_COLUMNS)}
    bound |= {name: [sums[n] for _, sums in rows] for n, name in enumerate(("counts", "amounts", "loadings"))}
    await _WRITE.run(connection, bound | {"partition": partition})


async def read(connection: AsyncConnection, asked: Asked) -> list[tuple[Entry, Sums]]:
    """The sums over all partitions, in order of their entries."""
    columns = {name: name if name in asked.by else constant for name, constant in _TOGETHER.items()}
    bound = {"campaign": asked.campaign, "fact": asked.fact, "since": asked.since, "until": asked.until, "most": asked.most}
    rows = (await connection.execute(text(_READ.format(**columns)), bound)).all()
    return await asyncio.to_thread(lambda: [(Entry(*row[:9]), Sums(*row[9:])) for row in rows])


async def newest_day(connection: AsyncConnection, campaign: str | None) -> date | None:
    """The last day on which anything was booked, of the campaign or (None) at all."""
    day: date | None = (await connection.execute(_NEWEST, {"campaign": campaign})).scalar_one()
    return day

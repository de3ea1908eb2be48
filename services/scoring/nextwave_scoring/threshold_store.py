"""Thresholds of value that are taken from all customers, and the tallies that they are taken from: their SQL."""

from __future__ import annotations

import msgspec
from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_scoring.quantiles import Tally, merged, packed, unpacked
from nextwave_scoring.unit import Unit
from nextwave_scoring.value.cells import Thresholds

NEWEST = 100
"""So many versions are read: one a day at most, and no event waits longer than that in the broker."""
_THRESHOLDS = Statement("select current_min, potential_min, since, customers from value_thresholds order by since desc limit :newest")
_NEW_THRESHOLDS = Statement(
    "insert into value_thresholds (since, current_min, potential_min, customers)"
    " values (:since, :current_min, :potential_min, :customers) on conflict (since) do nothing"
)
_TALLIES = Statement("select current, potential from value_tallies")
_TALLY = Statement("select current, potential from value_tallies where partition = :partition for update")
_SAVE_TALLY = Statement(
    "insert into value_tallies (partition, current, potential) values (:partition, :current, :potential)"
    " on conflict (partition) do update set current = excluded.current, potential = excluded.potential"
)


async def load_thresholds(connection: AsyncConnection) -> list[Thresholds]:
    """The newest thresholds of value taken so far, oldest first."""
    return [Thresholds(*row) for row in await _THRESHOLDS.rows(connection, {"newest": NEWEST})][::-1]


async def load_tallies(connection: AsyncConnection) -> tuple[Tally, Tally]:
    """Current and potential value of all customers, from every partition."""
    rows = await _TALLIES.rows(connection)
    return merged(unpacked(row["current"]) for row in rows), merged(unpacked(row["potential"]) for row in rows)


async def save_thresholds(connection: AsyncConnection, unit: Unit) -> None:
    """What the batch changed of this partition's tallies, and thresholds that it took."""
    for taken in unit.taken:
        await _NEW_THRESHOLDS.run(connection, msgspec.structs.asdict(taken))
    if not any(unit.moved_tallies):
        return
    rows = await _TALLY.rows(connection, {"partition": unit.partition})
    stored = [unpacked(part) for part in rows[0]] if rows else [{}, {}]
    current, potential = (packed(merged(both)) for both in zip(stored, unit.moved_tallies, strict=True))
    await _SAVE_TALLY.run(connection, {"partition": unit.partition, "current": current, "potential": potential})

"""People in flight: how many are in each version of a campaign, counted in the transaction that moves them, so that nobody is scanned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from nextwave_runtime.database import Statement
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_orchestrator.state import CustomerState

Flights = Counter[tuple[str, int]]
"""By campaign and version, how many more (or fewer) are under way."""

_ADD = Statement(
    "insert into flights (partition, campaign, version, people)"
    " select cast(:partition as int), * from unnest(cast(:campaigns as text[]), cast(:versions as int[]), cast(:people as bigint[]))"
    " on conflict (partition, campaign, version) do update set people = flights.people + excluded.people"
)
_READ = text("select version, sum(people) as people from flights where campaign = :campaign group by version order by version")


def note(flights: Flights, before: CustomerState | None, after: CustomerState) -> None:
    """Takes to the count what one turn did to the customer's runs."""
    earlier = () if before is None else before.runs
    if earlier is after.runs:
        return
    flights.subtract((run.campaign, run.version) for run in earlier)
    flights.update((run.campaign, run.version) for run in after.runs)


async def add(connection: AsyncConnection, partition: int, flights: Mapping[tuple[str, int], int]) -> None:
    """Writes the changes of one batch to the partition's own rows; its fence keeps every other writer away."""
    changed = sorted((key, people) for key, people in flights.items() if people)
    if not changed:
        return
    bound = {
        "partition": partition,
        "campaigns": [campaign for (campaign, _), _ in changed],
        "versions": [version for (_, version), _ in changed],
        "people": [people for _, people in changed],
    }
    await _ADD.run(connection, bound)


async def people_in(connection: AsyncConnection, campaign: str) -> dict[int, int]:
    """By version, how many are under way in a campaign now; versions without any are left out.

    A run from before anybody was counted only counts down, so a version of such runs may stand below zero.
    """
    rows = (await connection.execute(_READ, {"campaign": campaign})).all()
    return {row.version: int(row.people) for row in rows if row.people > 0}

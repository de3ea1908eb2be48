"""Reads what was learned of answers, so that the catalogue in force has it within a minute; deletes what has faded, once a week."""

from __future__ import annotations

from datetime import timedelta

from nextwave_contracts.clock import Clock
from nextwave_runtime.database import Database

from nextwave_orchestrator.campaigns.definition import Policy
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.responses import table
from nextwave_orchestrator.responses.counting import week_of
from nextwave_orchestrator.responses.rates import Responses, responses_of

DAY = timedelta(days=1)


class Learning:
    """The counts of all partitions, as of the business time of reading."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._tidied = -1

    async def read(self, policy: Policy) -> Responses:
        """The rates with the policy's strength and half-life."""
        week, half_days = week_of(self._clock.now()), duration(policy.response_half_life) / DAY
        async with self._database.transaction() as connection:
            if week != self._tidied:
                await table.forget(connection, week, half_days)
            cells = await table.read(connection, week, half_days)
        self._tidied = week
        return responses_of(cells, policy.response_strength)

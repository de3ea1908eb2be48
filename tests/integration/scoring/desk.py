"""Scoring's application on the real PostgreSQL, batch by batch, and its API in the same process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import OUTCOMES, TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import Outgoing, Taken, Timer, Work
from nextwave_runtime.database import Database
from nextwave_runtime.timers import Gates, take_due
from nextwave_scoring.application import Scoring
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.registry.registry import Registry
from sqlalchemy import text

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REGISTRY = Registry(Baseline(DEFAULT))
FOLD = Fold(Judge(REGISTRY))
PARTITIONS = 4


def seen(number: int, *names: str, kind: str = "page.viewed", source: str = "shop/web", **data: Any) -> Touchpoint:
    at = START + timedelta(minutes=number)
    return Touchpoint(id=f"t{number}", source=source, type=kind, identifiers=names, occurred_at=at, received_at=at, data=data)


class Desk:
    """Works batches of any partition in transactions of their own, as the processor does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.scoring = Scoring(FOLD)

    async def work(self, *messages: Touchpoint | Outcome, partition: int = 0, timers: Sequence[Timer] = ()) -> list[Any]:
        topic = OUTCOMES if messages and isinstance(messages[0], Outcome) else TOUCHPOINTS
        taken = [Taken(topic, partition, n, m.at if isinstance(m, Outcome) else m.received_at, m) for n, m in enumerate(messages)]
        work = Work(topic, partition, PARTITIONS, START, taken, timers)
        async with self.database.transaction() as connection:
            unit = await self.scoring.load(connection, work)
            items: list[Taken | Timer] = [*taken, *timers]
            out: list[Outgoing] = [o for item in items for o in self.scoring.fold(unit, item, START)]
            await self.scoring.save(connection, unit)
        return [o.message for o in out]

    async def due(self) -> list[Timer]:
        """Takes every review that is set, of all partitions."""
        async with self.database.transaction() as connection:
            far = START + timedelta(days=4000)
            return [t for n in range(PARTITIONS) for t in await take_due(connection, n, Gates(far, None), 9)]

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.transaction() as connection:
            return [tuple(row) for row in (await connection.execute(text(statement))).all()]


def bearer(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {role}"}

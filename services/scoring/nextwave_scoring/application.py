"""Scoring as the processor sees it: load in the batch's transaction, fold purely, save. It joins the store and the fold, nothing more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from nextwave_contracts.topics import OUTCOMES, TOUCHPOINTS, Topic
from nextwave_runtime.application import Outgoing, Taken, Timer, Work
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_scoring import metrics, store
from nextwave_scoring.fold import Fold, ids_in, names_in
from nextwave_scoring.unit import Unit


class Scoring:
    """The application `scoring`."""

    name = "scoring"
    inputs: tuple[Topic, ...] = (TOUCHPOINTS, OUTCOMES)
    timers_on: Topic = TOUCHPOINTS
    hands_over: frozenset[str] = frozenset()

    def __init__(self, fold: Fold) -> None:
        self._fold = fold

    async def load(self, connection: AsyncConnection, work: Work) -> Unit:
        """Every customer that the batch can touch, rows locked: identifiers by name first, then customers by id."""
        unit = Unit(work.partition, work.partitions)
        await store.load_names(connection, unit, names_in(work.taken))
        await store.load_customers(connection, unit, ids_in(work.taken, work.timers))
        return unit

    def fold(self, unit: Unit, item: Taken | Timer, now: datetime) -> Iterable[Outgoing]:  # noqa: ARG002  (business time is the item's own)
        """One item in; messages out."""
        return self._fold.take(unit, item)

    async def save(self, connection: AsyncConnection, unit: Unit) -> None:
        """Writes the unit back."""
        await store.save(connection, unit)
        metrics.CREATED.inc(len(unit.changed) - len(unit.changed & unit.stored))
        metrics.MERGED.inc(len(unit.absorbed))

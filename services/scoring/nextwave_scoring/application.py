"""Scoring as the processor sees it: load in the batch's transaction, fold purely, save. It joins the store and the fold, nothing more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.topics import OUTCOMES, TOUCHPOINTS, Topic
from nextwave_runtime.application import Outgoing, Taken, Timer, Work
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_scoring import metrics, review_store, store, threshold_store
from nextwave_scoring.churn.outlook import Models
from nextwave_scoring.fold import TAKING, Fold, ids_in, names_in, separated_in, taking_after
from nextwave_scoring.instants import micros
from nextwave_scoring.rejudging import REJUDGE, next_page
from nextwave_scoring.unit import Unit


class Scoring:
    """The application `scoring`."""

    name = "scoring"
    inputs: tuple[Topic, ...] = (TOUCHPOINTS, OUTCOMES)
    timers_on: Topic = TOUCHPOINTS
    hands_over: frozenset[str] = frozenset()

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._by_quantiles = fold.judge.house.rule.by == "quantile"

    async def load(self, connection: AsyncConnection, work: Work) -> Unit:
        """Every customer that the batch can touch, rows locked: identifiers by name first, then customers by id."""
        unit = Unit(work.partition, work.partitions)
        await store.load_names(connection, unit, names_in(work.taken))
        ids = ids_in(work.taken, work.timers)
        for after in {timer.key for timer in work.timers if timer.kind == REJUDGE}:
            unit.pages[after] = await store.load_page(connection, unit, after)
            ids.update(unit.pages[after].ids)
        await store.load_customers(connection, unit, ids)
        await store.load_timelines(connection, unit, separated_in(work.taken))
        if self._by_quantiles:
            await self._load_thresholds(connection, unit, work)
        return unit

    def fold(self, unit: Unit, item: Taken | Timer, now: datetime) -> Iterable[Outgoing]:
        """One item in; messages out. Business time is the item's own; `now` says when the next page of a walk is due."""
        messages = self._fold.take(unit, item)
        if isinstance(item, Timer) and item.kind == REJUDGE:
            unit.timers += next_page(item, unit.pages[item.key], now)
        if (models := self._fold.judge.models.current).shadows:
            _compare(models, unit, messages)
        return messages

    async def save(self, connection: AsyncConnection, unit: Unit) -> None:
        """Writes the unit back."""
        await store.save(connection, unit)
        await review_store.save(connection, unit)
        if self._by_quantiles:
            await threshold_store.save_thresholds(connection, unit)
        metrics.CREATED.inc(len(unit.changed) - len(unit.changed & unit.stored))
        metrics.MERGED.inc(len(unit.absorbed))

    async def _load_thresholds(self, connection: AsyncConnection, unit: Unit, work: Work) -> None:
        unit.thresholds = await threshold_store.load_thresholds(connection)
        if any(timer.kind == TAKING for timer in work.timers):
            unit.tallied = await threshold_store.load_tallies(connection)
        if work.partition == 0:
            unit.timers.append(taking_after(work.now))


def _compare(models: Models, unit: Unit, messages: Iterable[Outgoing]) -> None:
    """What shadows would have said, against what was said."""
    for message in (outgoing.message for outgoing in messages):
        if isinstance(message, CustomerUpdated):
            profile = unit.customers[message.customer_id].profile
            for shadow in models.beside(profile):
                risk = shadow.outlook(profile).risk(micros(message.at))
                metrics.SHADOW.labels(shadow.name).observe(risk - message.profile.churn.risk)

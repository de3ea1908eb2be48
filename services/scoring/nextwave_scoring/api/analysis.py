"""The analyst's questions: why a customer stands where they do, what would change it, tables over all customers, models and their cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from nextwave_contracts.clock import Clock
from nextwave_contracts.identifiers import InvalidIdentifierError, parse
from nextwave_runtime.database import Database
from nextwave_runtime.problem import Problem
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from nextwave_scoring import cohorts, queries, threshold_store
from nextwave_scoring.api.answer import json_response, uuid_of, wrong
from nextwave_scoring.api.cards import shelf
from nextwave_scoring.api.explanation import Explanation, Happening, UnsupposableError, explain, supposing
from nextwave_scoring.churn.bands import DOWN, STAY, UP
from nextwave_scoring.churn.features import CATALOGUE
from nextwave_scoring.customer import Customer
from nextwave_scoring.fold import Fold
from nextwave_scoring.instants import DAY, EPOCH, micros
from nextwave_scoring.profile import view
from nextwave_scoring.profile.zones import candidate_zones
from nextwave_scoring.registry.registry import Registry
from nextwave_scoring.value.cells import POLICIES, Thresholds

EVENTS_MAX = 20
MONTHS_MAX = 120
AHEAD_MAX = timedelta(days=3_650)
"""Nobody asks what silence does for longer than this."""


class Supposed(BaseModel):
    """A touchpoint that might come: `occurred_at` no later than `at`; the data as a door would take it."""

    model_config = ConfigDict(extra="forbid")
    type: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=120, description="subject.past_tense")
    data: dict[str, Any] = {}
    occurred_at: AwareDatetime | None = None


class Question(BaseModel):
    """Whom it is about (`customer_id`, or `identifier`, or neither: somebody new), when, and what shall be supposed to happen."""

    model_config = ConfigDict(extra="forbid")
    customer_id: str = ""
    identifier: str = Field(default="", description="kind:value")
    at: AwareDatetime | None = Field(default=None, description="now, or later: what silence would do")
    events: list[Supposed] = Field(default=[], max_length=EVENTS_MAX)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`before` without the supposed events, `after` with them; both as of the same instant. `risk_change` is after less before.

    Of somebody new nothing is known before: both are None.
    """

    customer_id: str
    before: Explanation | None
    after: Explanation
    risk_change: float | None
    changes: tuple[Any, ...]


class Analysis:
    """The routes."""

    def __init__(self, database: Database, fold: Fold, registry: Registry, clock: Clock) -> None:
        self._database = database
        self._fold = fold
        self._registry = registry
        self._clock = clock

    def add_to(self, router: APIRouter) -> None:
        """Adds them."""
        router.get("/customers/{customer_id}/explanation", summary="Every number of a customer, with its reasons")(self.explanation)
        router.post("/score:explain", summary="What a customer's numbers would be if something happened")(self.suppose)
        router.get("/tables/{by}", summary="Customers by cohort, band, stage, cell, pattern or cause, with their money")(self.table)
        router.get("/losses", summary="Customers lost per month by cause, and whether that is normal")(self.losses)
        router.get("/models", summary="The models that score, and what is in them")(self.models)

    async def explanation(self, customer_id: str) -> Response:
        """With the facts that only analysts need."""
        name, customer, taken = await self._find(uuid_of(customer_id))
        at = micros(self._clock.now())
        zones = candidate_zones(customer.profile)
        told = msgspec.structs.asdict(explain(self._fold, customer, at, taken))
        profile = customer.profile
        facts = {
            "kinds": view.kinds(profile, at),
            "channels": view.channels(profile, at),
            "responses": view.responses(profile, at),
            "best_hours": view.best_hours(profile, zones[0], at) if zones else {},
            "categories": view.categories(profile),
            "orders_in_house_currency": view.converted(profile),
            "orders_without_a_rate": profile.unconverted,
        }
        return json_response({"customer_id": name, **told, "facts": facts})

    async def suppose(self, question: Question) -> Response:
        """Nothing is stored. A customer with no such id or identifier is a 404."""
        now = self._clock.now()
        at = question.at or now
        _check(question, at, now)
        name, customer, taken = await self._meant(question)
        happenings = [Happening(**event.model_dump()) for event in question.events]
        try:
            supposed = supposing(self._fold, customer, happenings, micros(at), taken) if happenings else customer
        except UnsupposableError as wrongly:
            raise wrong(f"/body/events/{wrongly.number}{wrongly.pointer}", str(wrongly)) from wrongly
        before = explain(self._fold, customer, micros(at), taken) if name else None
        after = explain(self._fold, supposed, micros(at), taken)
        changes = self._fold.judge.judge(supposed, micros(at), taken).changes_from(customer.standing)
        change = after.churn.risk - before.churn.risk if before else None
        return json_response(Answer(customer_id=name, before=before, after=after, risk_change=change, changes=changes))

    async def table(self, by: cohorts.Dimension, cohort: Annotated[str, Query(pattern=r"^(\d{4}-\d{2})?$")] = "") -> Response:
        """One line per value that occurs, and all together; `cohort` looks at the customers of one month alone."""
        async with self._database.transaction() as connection:
            rows = [row for row in await queries.read_rows(connection) if not cohort or row.cohort == cohort]
        return json_response({"by": by, "currency": self._currency, "lines": cohorts.table(rows, by), "all": cohorts.whole(rows)})

    async def losses(self, months: Annotated[int, Query(ge=1, le=MONTHS_MAX)] = 12) -> Response:
        """By the month in which silence made them `lost`, also where that was heard of later, newest first; who came back is not lost."""
        async with self._database.transaction() as connection:
            periods = await queries.read_losses(connection, months)
        return json_response({"periods": [{"month": month, "loss": loss} for month, loss in periods]})

    async def models(self) -> Response:
        """The live model first, then shadows, then those that are off; folders that were refused and why; what models may ask for."""
        current = self._registry.current
        return json_response(
            {
                "meaning": "probability that the customer will not come back within horizon_days",
                "models": list(shelf(current, self._registry.baseline)),
                "refused": [{"folder": refusal.folder, "reason": refusal.reason} for refusal in current.refused],
                "features": CATALOGUE,
                "bands": {"up": UP, "down": DOWN, "stay_days": STAY / DAY},
                "cells": POLICIES,
            }
        )

    @property
    def _currency(self) -> str:
        return self._fold.judge.house.economics.currency

    async def _meant(self, question: Question) -> tuple[str, Customer, Sequence[Thresholds]]:
        if question.customer_id and question.identifier:
            raise wrong("/body/identifier", "give customer_id or identifier, not both")
        if question.customer_id:
            return await self._find(uuid_of(question.customer_id))
        if not question.identifier:
            async with self._database.transaction() as connection:
                return "", Customer(), await threshold_store.load_thresholds(connection)
        try:
            name = parse(question.identifier)
        except InvalidIdentifierError as invalid:
            raise wrong("/body/identifier", str(invalid)) from invalid
        async with self._database.transaction() as connection:
            customer_id = await queries.find_id(connection, name)
        if customer_id is None:
            raise Problem(404, "not-found", "no customer has this identifier")
        return await self._find(customer_id)

    async def _find(self, customer_id: str) -> tuple[str, Customer, Sequence[Thresholds]]:
        async with self._database.transaction() as connection:
            found = await queries.find_customer(connection, customer_id)
            taken = await threshold_store.load_thresholds(connection)
        if found is None:
            raise Problem(404, "not-found", f"no customer has the id {customer_id}")
        return *found, taken


def _check(question: Question, at: datetime, now: datetime) -> None:
    """Raises a 422 `Problem` where the instants do not go together, or there is nothing to tell."""
    if not now <= at <= now + AHEAD_MAX:
        detail = f"give an instant from now to {AHEAD_MAX.days} days ahead: facts that came since an earlier one could not be left out"
        raise wrong("/body/at", detail)
    for number, event in enumerate(question.events):
        if event.occurred_at and not EPOCH < event.occurred_at <= at:
            raise wrong(f"/body/events/{number}/occurred_at", "occurred_at must be after 1970 and not after `at`")
    if not (question.customer_id or question.identifier or question.events):
        raise wrong("/body/events", "of somebody new nothing is known: suppose an event, or give customer_id or identifier")

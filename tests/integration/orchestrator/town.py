"""Owners of all partitions over one campaign with a budget, on the real PostgreSQL: what tests of allowances work with."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
from nextwave_contracts.actions import Contact
from nextwave_contracts.clock import ClockSetting
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.decisions import Decision
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import CUSTOMERS, partition_of
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_orchestrator.allowances import capacity_of
from nextwave_orchestrator.amounts import Used
from nextwave_orchestrator.assembly import CampaignRow, Version
from nextwave_orchestrator.campaigns.definition import Budget
from nextwave_orchestrator.catalogue_store import PostgresCatalogue
from nextwave_orchestrator.fold import Decider
from nextwave_runtime.application import OutdatedError, Taken, Timer, Work
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.database import Database
from nextwave_runtime.timers import Gates, take_due
from unit.orchestrator.decision_world import MONDAY_NOON, campaign, catalogue, snapshot, wave

PARTITIONS = 4
COST = 8
BUDGET = "budget/winter"
SMS = capacity_of("sms")
MINUTE = timedelta(minutes=1)


class CrashError(Exception):
    """The owner died before its commit."""


class Town:
    """Owners of all partitions, over one campaign whose texts cost `COST` each."""

    def __init__(self, database: Database, *, batch: int = 25, crashes: float = 0.0) -> None:
        self.database = database
        self.store = PostgresCatalogue(database, SystemClock(ClockSetting()), PARTITIONS)
        self.definition = campaign("winter", wave("tell", "sms")).definition
        self.decider = Decider(lambda: self.rules)
        self.rules = catalogue(campaign("winter", wave("tell", "sms")))
        self.now = MONDAY_NOON
        self.waiting: dict[int, deque[Taken]] = {n: deque() for n in range(PARTITIONS)}
        self.contacts: dict[str, Contact] = {}
        self.decisions: list[Decision] = []
        self.crashes, self.batch, self.random = crashes, batch, Random(6)
        self.overtaken = 0
        self.version = 0

    async def publish(self, amount: int | None) -> None:
        self.version += 1
        written = msgspec.structs.replace(self.definition, budget=None if amount is None else Budget(amount=amount))
        async with self.store.changing() as session:
            await session.add_version(Version("winter", self.version, msgspec.json.encode(written)), "ann")
            await session.set_campaign(CampaignRow("winter", "published", self.version), "ann")

    async def limit(self, contacts: int, per: timedelta) -> None:
        async with self.store.changing() as session:
            await session.set_capacity(SMS, contacts, per, "ops")

    async def used(self, scope: str) -> Used:
        async with self.store.reading() as session:
            (found,) = await session.allowances(scope, one=True)
        return found

    def arrive(self, people: range) -> None:
        for number in people:
            self.put(f"c-{number}", touchpoint=self.cart(number))

    def cart(self, number: int) -> Touchpoint:
        return Touchpoint(
            id=f"t{number}", source="shop", type="cart.updated", identifiers=("email:a@b.de",), occurred_at=self.now, received_at=self.now
        )

    def fail(self, contact: Contact) -> None:
        named = {name: getattr(contact, name) for name in ("action_id", "customer_id", "campaign", "version", "wave", "run_id", "channel")}
        self.put(contact.customer_id, outcome=Outcome(id=f"o-{contact.action_id}", kind="failed", at=self.now, **named))

    def put(self, customer_id: str, **what: Any) -> None:
        profile = snapshot(customer_id=customer_id)
        message = CustomerUpdated(customer_id=customer_id, at=self.now, profile=profile, **what)
        queue = self.waiting[partition_of(customer_id.encode(), PARTITIONS)]
        queue.append(Taken(CUSTOMERS, 0, len(queue), self.now, message))

    async def work(self, *partitions: int) -> None:
        """Every owner works until nothing is due any more for it, all of them at once."""
        await asyncio.gather(*(self._own(n) for n in partitions or range(PARTITIONS)))

    async def _own(self, partition: int) -> None:
        while True:
            batch = [self.waiting[partition].popleft() for _ in range(min(self.batch, len(self.waiting[partition])))]
            try:
                did = await self._batch(partition, batch)
            except (OutdatedError, CrashError) as error:
                self.overtaken += isinstance(error, OutdatedError)
                self.waiting[partition].extendleft(reversed(batch))
                continue
            if not did and not batch:
                return

    async def _batch(self, partition: int, taken: list[Taken]) -> bool:
        said: list[Any] = []
        async with self.database.transaction() as connection:
            timers = await take_due(connection, partition, Gates(self.now, None), self.batch)
            if not taken and not timers:
                return False
            unit = await self.decider.load(connection, Work(CUSTOMERS, partition, PARTITIONS, self.now, taken, timers))
            await asyncio.sleep(0)  # others come in between
            items: list[Taken | Timer] = [*taken, *timers]
            for item in items:
                said += [one.message for one in self.decider.fold(unit, item, self.now)]
            await self.decider.save(connection, unit)
            if self.random.random() < self.crashes:
                raise CrashError
        self.contacts |= {one.action_id: one for one in said if isinstance(one, Contact)}
        self.decisions += [one for one in said if isinstance(one, Decision)]
        return True

    def count(self, result: str, reason: str) -> int:
        return sum((one.result, one.reason) == (result, reason) for one in self.decisions)

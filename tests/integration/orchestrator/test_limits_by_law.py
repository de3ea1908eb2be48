"""France's four calls in thirty days on the real PostgreSQL, with owners that die before their commit, over five weeks."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from integration.orchestrator.town import PARTITIONS, Town
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import CUSTOMERS, partition_of
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import Taken
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from stack import Stack
from unit.orchestrator.decision_world import MONDAY_NOON, campaign, catalogue, wave
from unit.orchestrator.law.called import person

DAY = timedelta(days=1)
PEOPLE = 12
AGAIN = {"reentry": {"after": "1d"}}


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    dsn = await stack.create_database("limits")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    opened = Database(dsn)
    yield opened
    await opened.close()


class Province(Town):
    """A town of people in France whom two campaigns may call three times each, again every other day; nobody ever answers."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, crashes=0.2)
        step = {"channel": "call", "list": "renewals", "script": "Hello", "attempts": 3, "spacing": "1h"}
        call = wave("call", window="20h", mixes=[{"segment": "*", "channels": [step]}])
        entries = {"first": "cart.updated", "second": "product.viewed"}
        self.rules = catalogue(*(campaign(key, call, entry={"on": {"event": on}, **AGAIN}) for key, on in entries.items()))
        self.missed: set[str] = set()

    def put(self, customer_id: str, **what: Any) -> None:
        message = CustomerUpdated(customer_id=customer_id, at=self.now, profile=person(customer_id=customer_id), **what)
        queue = self.waiting[partition_of(customer_id.encode(), PARTITIONS)]
        queue.append(Taken(CUSTOMERS, 0, len(queue), self.now, message))

    def cart(self, number: int) -> Touchpoint:
        """One day they look at the cart, the next day at a product."""
        return msgspec.structs.replace(super().cart(number), type="product.viewed" if (self.now - MONDAY_NOON).days % 2 else "cart.updated")

    def nobody_answers(self) -> None:
        for contact in [one for one in self.contacts.values() if one.action_id not in self.missed]:
            names = ("action_id", "customer_id", "campaign", "version", "wave", "run_id", "channel")
            named = {name: getattr(contact, name) for name in names}
            self.put(contact.customer_id, outcome=Outcome(id=f"o-{contact.action_id}", kind="no_answer", at=self.now, **named))
            self.missed.add(contact.action_id)


async def test_four_calls_in_thirty_days_are_the_most_whoever_dies_though_two_campaigns_may_try_thrice_each(
    database: Database,
) -> None:
    town = Province(database)
    for hour in (*range(60), *range(60, 30 * 24, 12), *range(30 * 24, 34 * 24)):
        town.now = MONDAY_NOON + timedelta(hours=hour)
        if hour % 24 == 0:
            town.arrive(range(PEOPLE))
        for _ in range(2):
            await town.work()
            town.nobody_answers()
    made: dict[str, list[datetime]] = defaultdict(list)
    for contact in town.contacts.values():
        made[contact.customer_id].append(contact.decided_at)
    assert len(made) == PEOPLE
    for instants in made.values():
        assert max(sum(at <= other < at + 30 * DAY for other in instants) for at in instants) == 4
        assert len(instants) == 8
    assert {contact.attempt for contact in town.contacts.values()} == {1, 2, 3}
    assert town.count("withhold", "cap") > 0

"""A merge whose parts come in any order, on the real PostgreSQL."""

from __future__ import annotations

import asyncio

from integration.orchestrator.town import Town
from nextwave_contracts.customers import CustomerAbsorbed
from nextwave_contracts.topics import CUSTOMERS, partition_of
from nextwave_orchestrator.store import find_state
from nextwave_runtime.application import Taken
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from stack import Stack


async def test_what_an_absorbed_customer_had_is_kept_though_nobody_has_heard_of_the_survivor_yet(stack: Stack) -> None:
    dsn = await stack.create_database("merging")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    database = Database(dsn)
    try:
        town = Town(database)
        await town.publish(None)
        town.arrive(range(1))
        await town.work()
        told = CustomerAbsorbed(customer_id="c-0", at=town.now, into="survivor")
        town.waiting[partition_of(b"c-0", len(town.waiting))].append(Taken(CUSTOMERS, 0, 1, town.now, told))
        await town.work()
        survivor = await find_state(database, "survivor")
        assert survivor is not None
        assert (survivor.profile, len(survivor.runs), len(survivor.reservations)) == (None, 1, 1)
        town.put("survivor", touchpoint=town.cart(1))
        await town.work()
        after = await find_state(database, "survivor")
        assert after is not None
        assert after.profile is not None
        assert [run.run_id for run in after.runs] == [run.run_id for run in survivor.runs]
    finally:
        await database.close()

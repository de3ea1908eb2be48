"""A contact and its cost are booked once, by whatever shows first that the provider took it, on the real PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest
from channel_contacts import NOON, a_contact
from channels_place import PARTITIONS, Place, Recorder
from nextwave_channels import delivery as life
from nextwave_channels import store
from nextwave_channels.answers import Uncertain
from nextwave_contracts.outcomes import OutcomeKind
from sqlalchemy.ext.asyncio import AsyncConnection


async def learn(connection: AsyncConnection, kind: OutcomeKind) -> None:
    stored = await store.lock_one(connection, "action-1")
    assert stored is not None
    step = life.learn(stored, kind, NOON)
    await store.report(connection, [step] if step else [], PARTITIONS)


async def dispatched(place: Place) -> None:
    await place.put(a_contact())
    await place.dispatcher(Recorder(answer=lambda _: Uncertain(detail="lost"))).claim(5)


@pytest.mark.parametrize(("evidence", "costs"), [(["failed", "delivered"], [0, 3]), (["accepted", "failed", "delivered"], [3, 0, 0])])
async def test_a_delivery_proven_made_after_it_failed_is_booked_once(place: Place, evidence: list[OutcomeKind], costs: list[int]) -> None:
    await dispatched(place)
    for kind in evidence:
        async with place.database.transaction() as connection:
            await learn(connection, kind)
    told = {o.kind: o.cost for o in await place.outcomes()}
    assert [told[kind] for kind in evidence] == costs


async def test_of_two_reports_at_once_the_one_that_waits_for_the_other_books_nothing(place: Place) -> None:
    await dispatched(place)

    async def later() -> None:
        async with place.database.transaction() as connection:
            await learn(connection, "clicked")

    async with place.database.transaction() as connection:
        await learn(connection, "delivered")
        waiting = asyncio.create_task(later())
        await place.until(place.waits)
    await waiting
    assert {o.kind: (o.taken, o.cost) for o in await place.outcomes()} == {"delivered": (True, 3), "clicked": (False, 0)}

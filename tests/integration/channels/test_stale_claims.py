"""A process that stands still between claim and send (stopped, swapped out) sends nothing on the word of its old claim."""

from __future__ import annotations

import asyncio

import pytest
from channel_contacts import NOON, a_contact
from channels_place import PARTITIONS, Place, Recorder
from nextwave_channels import stopping
from nextwave_channels.claiming import settle_lapsed
from nextwave_channels.gate import Fact
from nextwave_channels.horizon import ClaimsWaitError
from nextwave_channels.pacing import Pace


async def test_a_process_that_stood_still_after_its_claim_sends_nothing_and_the_next_claim_checks_anew(place: Place) -> None:
    seconds = 0.0
    place.monotonic = lambda: seconds
    await place.put(a_contact(), a_contact(action_id="b", subjects=("hash-bob",)))
    adapter = Recorder()
    dispatcher = place.dispatcher(adapter, Pace(concurrency=8))
    claimed = await dispatcher.claim(5) or []
    seconds = 0.81
    async with place.database.transaction() as connection:
        await stopping.record_facts(connection, [Fact(subject="hash-ann-id", kind="opt", stopped=True, at=NOON)], NOON, PARTITIONS)
    for each in claimed:
        await dispatcher.send(each)
    assert adapter.sent == []
    assert await place.states() == {"action-1": "withdrawn", "b": "due"}
    await asyncio.sleep(1.1)
    for each in await dispatcher.claim(5) or []:
        await dispatcher.send(each)
    assert adapter.sent == ["b"]


async def test_a_process_that_wakes_after_its_lease_ran_out_sends_nothing(place: Place) -> None:
    seconds = 0.0
    place.monotonic = lambda: seconds
    await place.put(a_contact())
    adapter = Recorder()
    dispatcher = place.dispatcher(adapter, Pace(concurrency=8, lease_seconds=0.01))
    (claimed,) = await dispatcher.claim(5) or []
    await asyncio.sleep(0.05)
    assert await settle_lapsed(place.desk) == 1
    seconds = 60.0
    await dispatcher.send(claimed)
    assert adapter.sent == []
    assert await place.states() == {"action-1": "failed"}


async def test_a_claim_may_use_all_the_time_that_beginning_its_send_does_not_need(place: Place) -> None:
    ticks = iter([0.0, 0.59])
    place.monotonic = lambda: next(ticks)
    await place.put(a_contact())
    assert [c.contact.action_id for c in await place.dispatcher(Recorder(), Pace(concurrency=8)).claim(5) or []] == ["action-1"]


async def test_a_claim_that_takes_too_long_is_rolled_back_and_costs_no_try(place: Place) -> None:
    ticks = iter([0.0, 0.61])
    place.monotonic = lambda: next(ticks)
    await place.put(a_contact())
    with pytest.raises(ClaimsWaitError, match="the database is slow"):
        await place.dispatcher(Recorder(), Pace(concurrency=8)).claim(5)
    assert await place.ask("select state, attempt from deliveries") == [("due", 0)]

"""A claim knows every stop that was accepted before it began, also while nobody reads them: on the real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from channel_contacts import NOON, a_contact
from channels_place import PARTITIONS, Place, Recorder
from nextwave_channels import horizon as horizon_module
from nextwave_channels.dispatcher import Dispatcher
from nextwave_channels.horizon import ClaimsWaitError, HoldsHorizon, Horizon
from nextwave_channels.intake import Intake
from nextwave_channels.pacing import Pace
from nextwave_contracts.holds import Hold
from nextwave_contracts.topics import HOLDS, TOPICS
from nextwave_contracts.wire import encode
from nextwave_runtime.auth import KeyFile
from nextwave_runtime.clock import steady_seconds
from nextwave_runtime.processor import Processor
from nextwave_runtime.settings import ProcessorSettings
from stack import Stack

QUICK = Pace(concurrency=8, fresh_seconds=2.0)
"""Waits for stops for up to a second, so that the tests also hold on a busy machine."""


@pytest.fixture
async def holds(stack: Stack, place: Place) -> AsyncIterator[HoldsHorizon]:
    """The place asks the real Kafka; what earlier tests left there counts as read."""
    await stack.create_topics([t.name for t in TOPICS])
    asking = HoldsHorizon(stack.bootstrap, PARTITIONS, steady_seconds)
    for partition, end in (await first_look(asking)).ends.items():
        await place.ask(
            "insert into progress (processor, topic, partition, next_offset) values ('channels', :topic, :partition, :end)",
            topic=HOLDS.name,
            partition=partition,
            end=end,
        )
    place.horizon = asking.look
    yield asking
    await asking.close()


async def first_look(asking: HoldsHorizon) -> Horizon:
    """Topics that were just made have no leader for a moment."""
    async with asyncio.timeout(20):
        while True:
            with suppress(ClaimsWaitError):
                return await asking.look()


def a_stop(subject: str = "hash-ann-id") -> Hold:
    return Hold(id=str(uuid4()), source="s", kind="opt_out", subjects=(subject,), at=NOON)


async def accept(stack: Stack, partition: int, values: Sequence[bytes]) -> None:
    """What ingest does before its 2xx."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap, acks="all")
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(HOLDS.name, value, key=b"k", partition=partition)
    finally:
        await producer.stop()


@asynccontextmanager
async def reading(stack: Stack, place: Place, folder: Path) -> AsyncIterator[None]:
    """A replica takes holds in."""
    (folder / "keys.json").write_bytes(encode(KeyFile(pepper="p")))
    settings = ProcessorSettings(
        kafka=stack.bootstrap, keys_file=folder / "keys.json", identifier_key="i" * 32, postgres="postgresql://nobody@127.0.0.1:1/none"
    )
    processor = Processor(Intake(frozenset({"email"}), lambda _: None), database=place.database, settings=settings, clock=place.clock)
    run = asyncio.create_task(processor.run())
    try:
        yield
    finally:
        processor.stop()
        await run


@asynccontextmanager
async def running(dispatcher: Dispatcher) -> AsyncIterator[None]:
    run = asyncio.create_task(dispatcher.run())
    try:
        yield
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


@pytest.mark.usefixtures("holds")
async def test_an_accepted_stop_that_nobody_has_read_keeps_every_claim_back_and_wins_once_it_is_read(
    stack: Stack, place: Place, tmp_path: Path
) -> None:
    await place.put(a_contact(), a_contact(action_id="b", subjects=("hash-bob",)))
    await accept(stack, 3, [encode(a_stop())])
    adapter = Recorder()

    async def settled() -> bool:
        return await place.states() == {"action-1": "withdrawn", "b": "accepted"}

    async with running(place.dispatcher(adapter, QUICK)):
        await asyncio.sleep(2.5)
        assert adapter.sent == []
        assert set((await place.states()).values()) == {"due"}
        async with reading(stack, place, tmp_path):
            await place.until(settled)
    assert adapter.sent == ["b"]


@pytest.mark.usefixtures("holds")
async def test_what_has_no_effect_on_holds_keeps_no_claim_back_for_long(stack: Stack, place: Place, tmp_path: Path) -> None:
    stop = encode(a_stop("hash-somebody"))
    adapter = Recorder()

    async def sent() -> bool:
        return await place.states() == {"action-1": "accepted"}

    async with reading(stack, place, tmp_path):
        for values in ([stop], [stop, stop], [b"nothing we can read"], [stop, b"{}", stop]):
            await accept(stack, 1, values)
            await asyncio.sleep(0.1)
        await place.put(a_contact())
        async with running(place.dispatcher(adapter, QUICK)):
            await place.until(sent)


async def test_a_claim_waits_only_for_the_stops_accepted_before_it(stack: Stack, place: Place, holds: HoldsHorizon, tmp_path: Path) -> None:
    """Under a stream of stops there is always an unread one; the claim must come through all the same."""
    await place.put(a_contact())
    stopped = asyncio.Event()

    async def stream() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap, acks="all")
        await producer.start()
        while not stopped.is_set():
            for partition in range(PARTITIONS):
                await producer.send(HOLDS.name, encode(a_stop(str(uuid4()))), key=b"k", partition=partition)
            await asyncio.sleep(0.002)
        await producer.stop()

    streaming = asyncio.create_task(stream())
    try:
        before = (await holds.look()).ends
        async with reading(stack, place, tmp_path):
            await place.until(lambda: read_to(place, before))
            claimed = await place.dispatcher(Recorder(), Pace(concurrency=8, fresh_seconds=10.0)).claim(5)
            assert [c.contact.action_id for c in claimed or []] == ["action-1"]
    finally:
        stopped.set()
        await streaming


async def read_to(place: Place, wanted: object) -> bool:
    rows = await place.ask("select partition, next_offset from progress where topic = :topic", topic=HOLDS.name)
    assert isinstance(wanted, dict)
    return all(dict(rows)[n] >= end for n, end in wanted.items())


async def test_a_partition_that_nobody_ever_took_counts_as_unread(stack: Stack, place: Place, holds: HoldsHorizon) -> None:
    await accept(stack, 2, [encode(a_stop())])
    await place.ask("delete from progress")
    await place.put(a_contact())
    assert (await holds.look()).ends[2] > 0
    with pytest.raises(ClaimsWaitError, match="not read yet"):
        await place.dispatcher(Recorder(), Pace(concurrency=8, fresh_seconds=0.4)).claim(5)


async def test_claims_that_begin_together_share_one_answer_and_a_later_one_asks_again(stack: Stack, holds: HoldsHorizon) -> None:
    del holds
    now = 7.0
    asking = HoldsHorizon(stack.bootstrap, PARTITIONS, lambda: now)
    try:
        one, two = await asyncio.gather(asking.look(), asking.look())
        assert one is two
        await accept(stack, 0, [encode(a_stop())])
        now += horizon_module.SHARED_SECONDS
        assert await asking.look() is one
        now += 0.001
        later = await asking.look()
        assert (later.asked_at, later.ends[0]) == (now, one.ends[0] + 1)
    finally:
        await asking.close()


async def test_while_kafka_is_away_nothing_is_claimed_and_it_is_asked_anew(stack: Stack, place: Place, holds: HoldsHorizon) -> None:
    await place.put(a_contact())
    nowhere = HoldsHorizon("127.0.0.1:1", PARTITIONS, steady_seconds)
    place.horizon = nowhere.look
    for _ in range(2):
        with pytest.raises(ClaimsWaitError, match="Kafka does not say"):
            await place.dispatcher(Recorder()).claim(5)
    assert await place.states() == {"action-1": "due"}
    place.horizon = holds.look
    await holds.look()
    await holds.close()  # as after an error
    assert len(await place.dispatcher(Recorder()).claim(5) or []) == 1


async def test_while_the_clock_is_not_sure_nothing_is_claimed_and_the_dispatcher_goes_on_afterwards(place: Place) -> None:
    await place.put(a_contact())
    place.clock.sure = False
    adapter = Recorder()

    async def sent() -> bool:
        return await place.states() == {"action-1": "accepted"}

    async with running(place.dispatcher(adapter)):
        await asyncio.sleep(0.3)
        assert adapter.sent == []
        place.clock.sure = True
        await place.until(sent)

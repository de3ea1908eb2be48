"""A consumer whose client hangs or broke for good, while Kafka answers everybody else, is replaced within the process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError, KafkaTimeoutError
from integration.runtime.program import Program, all_of, expected
from integration.runtime.relay_program import Relay, Tally
from nextwave_runtime import processor as runtime
from nextwave_runtime.clock import DatabaseClock, steady_seconds
from nextwave_runtime.database import Database
from nextwave_runtime.processor import Processor
from nextwave_runtime.settings import ProcessorSettings
from stack import Stack

TAKEN_LATE: list[int] = []
"""How many partitions a consumer that was let go still began to work on."""


async def _never(*_places: Any) -> Any:
    raise KafkaTimeoutError("no answer")


async def _coordination_ended(*_places: Any, **_limits: Any) -> Any:
    raise KafkaError("Unexpected error during coordination RuntimeError('the handler is closed')")


def _deafen(consumer: Any) -> None:
    consumer.end_offsets = consumer.beginning_offsets = _never


def _break(consumer: Any) -> None:
    stop = consumer.stop

    async def stop_badly() -> None:
        await stop()
        raise RuntimeError("the handler is closed")

    consumer.getmany, consumer.stop = _coordination_ended, stop_badly


def _end_fetching(consumer: Any) -> None:
    """As uvloop has it when a connection is closed between aiokafka's look at it and its writing."""
    send = consumer._client.send

    async def send_all_but_fetches(node: int, request: Any, **more: Any) -> Any:
        if type(request).__name__.startswith("FetchRequest"):
            raise RuntimeError("the handler is closed")
        return await send(node, request, **more)

    consumer._client.send = send_all_but_fetches


def _assign_late(consumer: Any) -> None:
    """While it is let go the group gives it its partitions once more."""
    _deafen(consumer)
    stop = consumer.stop

    async def stop_after_a_rebalance() -> None:
        listener = consumer._subscription.listener
        await listener.on_partitions_assigned(consumer.assignment())
        TAKEN_LATE.append(len(listener._processor._workers))
        await stop()

    consumer.stop = stop_after_a_rebalance


@pytest.mark.parametrize("harm", [_deafen, _break, _end_fetching, _assign_late])
async def test_a_consumer_that_never_works_again_is_replaced_and_everything_is_taken_in(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, harm: Callable[[Any], None]
) -> None:
    monkeypatch.setattr(runtime, "DEAF_SECONDS", 1.5)
    program = await Program.create(stack)
    (tmp_path / "keys.json").write_text('{"pepper": "p", "keys": []}')
    databases = (Database(program.dsn), Database(program.tally_dsn))
    running = []
    applications: tuple[Any, ...] = (Relay(), Tally())
    for application, database in zip(applications, databases, strict=True):
        settings = ProcessorSettings(
            kafka=stack.bootstrap, postgres="postgresql://unused", keys_file=tmp_path / "keys.json", identifier_key="x" * 32, replica="deaf"
        )
        clock = DatabaseClock(settings.clock, database.wall_seconds, steady=steady_seconds)
        await clock.set()
        running.append(Processor(application, database=database, settings=settings, clock=clock))
    tasks = [asyncio.create_task(processor.run()) for processor in running]
    await program.post(range(20))
    await program.until_counted(60)
    harmed = running[0]._consumer
    harm(harmed)
    async with asyncio.timeout(30):
        while running[0]._consumer is harmed:  # noqa: ASYNC110  (the processor's own loop changes it)
            await asyncio.sleep(0.1)
    await program.post(range(20, 40))
    counted = await program.until_counted(120)
    for processor in running:
        processor.stop()
    await asyncio.gather(*tasks)
    await asyncio.gather(*(database.close() for database in databases))
    assert sorted(all_of(counted)) == sorted(expected(range(40)))
    assert not any(TAKEN_LATE)

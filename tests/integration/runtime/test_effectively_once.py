"""The processor's promises on the real Kafka and PostgreSQL: whatever is repeated or killed, every effect happens exactly once."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator

import pytest
from integration.runtime.program import Program, all_of, expected
from stack import Stack


@pytest.fixture
async def program(stack: Stack) -> AsyncIterator[Program]:
    made = await Program.create(stack)
    yield made
    made.close()


async def test_every_message_has_its_effects_once_and_in_order_although_each_was_sent_twice(program: Program) -> None:
    program.start("a")
    await program.post(range(300), repeat=2)
    counted = await program.until_counted(900)
    assert sorted(all_of(counted)) == sorted(expected(range(300)))
    for numbers in counted.values():
        at_once = [n for n in numbers if n % 10 != 3]
        assert at_once == sorted(at_once)


async def test_killing_the_processor_again_and_again_loses_nothing_and_doubles_nothing(program: Program) -> None:
    chance = random.Random(7)
    program.start("a")
    for step in range(6):
        await program.post(range(step * 100, step * 100 + 100))
        await asyncio.sleep(chance.uniform(0.3, 2.0))
        program.kill("a")
        program.start("a")
    counted = await program.until_counted(1800, seconds=90)
    assert sorted(all_of(counted)) == sorted(expected(range(600)))


async def test_two_replicas_share_the_partitions_and_one_goes_on_when_the_other_dies(program: Program) -> None:
    program.start("a")
    program.start("b")
    await program.post(range(200))
    await program.until_counted(600)
    owners = await program.rows("select count(*) n from progress where processor = 'relay' and epoch > 0")
    assert owners == [{"n": 4}]
    program.kill("b")
    await program.post(range(200, 400))
    counted = await program.until_counted(1200)
    assert sorted(all_of(counted)) == sorted(expected(range(400)))


async def test_a_paused_owner_that_wakes_up_with_work_in_hand_writes_nothing_more(program: Program) -> None:
    program.start("a", RELAY_SLOW="0.2", NEXTWAVE_BATCH_MAX="5")
    await program.post(range(150))
    await program.until_counted(20)
    paused = program.processes["a"]
    paused.send_signal(signal.SIGSTOP)
    program.start("b")
    await program.until_counted(450)
    paused.send_signal(signal.SIGCONT)
    await program.post(range(150, 250))
    counted = await program.until_counted(750)
    assert sorted(all_of(counted)) == sorted(expected(range(250)))


async def test_a_poison_message_is_rejected_with_its_reason_and_the_partition_goes_on(program: Program) -> None:
    program.start("a")
    await program.post(range(10), customers=1)
    await program.post(range(1), customers=1, kind="poison.taken", start=5000)
    await program.post(range(10, 20), customers=1)
    counted = await program.until_counted(60)
    assert sorted(all_of(counted)) == sorted(expected(range(20)))
    assert [one.reason for one in program.rejected().values()] == ["fold_failed"]


async def test_more_refused_messages_than_one_batch_may_have_attempts_stop_nobody(program: Program) -> None:
    await program.post(range(10), customers=1)
    await program.post(range(120), customers=1, kind="refused.taken", start=5000)
    await program.post(range(10, 20), customers=1)
    program.start("a")
    counted = await program.until_counted(60)
    assert sorted(all_of(counted)) == sorted(expected(range(20)))
    assert [one.reason for one in program.rejected().values()] == ["invalid"] * 120
    assert "processor_stops" not in program.logs()


async def test_what_was_rejected_is_taken_in_once_when_it_is_sent_again_after_a_fix(program: Program) -> None:
    program.start("a")
    await program.post(range(2), customers=1, kind="refused.taken", repeat=2)
    await program.post(range(10, 20), customers=1)
    await program.until_counted(30)
    await program.post(range(2), customers=1, repeat=2)
    await program.post(range(2), customers=1)
    counted = await program.until_counted(36)
    assert sorted(all_of(counted)) == sorted(expected(range(2)) | expected(range(10, 20)))


async def test_sigterm_drains_and_ends_cleanly(program: Program) -> None:
    program.start("a")
    await program.post(range(100))
    await program.until_counted(300)
    assert program.kill("a", signal.SIGTERM) == 0

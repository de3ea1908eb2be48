"""Each scenario passes with all mechanisms and goes wrong without the one that it is about: the tests of exactness can fail."""

from __future__ import annotations

import asyncio
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


async def _posted_twice(program: Program, broken: str) -> bool:
    program.start("a", RELAY_BREAK=broken)
    await program.post(range(60))
    await program.until_counted(180)
    await program.post(range(60))
    await asyncio.sleep(3)
    return await _exact(program, range(60))


async def _killed_between_commit_and_publish(program: Program, broken: str) -> bool:
    await program.post(range(40))
    program.start("a", RELAY_BREAK=broken, RELAY_PARTS="relay", RELAY_DIE="between_commit_and_publish")
    assert program.processes.pop("a").wait(30) == 9
    program.start("a", RELAY_BREAK=broken)
    return await _exact(program, range(40))


async def _published_again_by_the_next_owner(program: Program, broken: str) -> bool:
    program.start("a", RELAY_BREAK=broken)
    await program.post(range(40))
    await program.until_counted(120)
    program.kill("a")
    program.start("a", RELAY_BREAK=broken)
    await program.post(range(40, 50))
    return await _exact(program, range(50))


async def _paused_with_work_in_hand(program: Program, broken: str) -> bool:
    program.start("relay", RELAY_PARTS="relay")
    await program.post(range(200), customers=3)
    program.start("a", RELAY_BREAK=broken, RELAY_PARTS="tally", RELAY_SLOW="0.3", NEXTWAVE_BATCH_MAX="5")
    await program.until_counted(20)
    paused = program.processes["a"]
    paused.send_signal(signal.SIGSTOP)
    program.start("b", RELAY_BREAK=broken, RELAY_PARTS="tally")
    await program.until_counted(600)
    paused.send_signal(signal.SIGCONT)
    await asyncio.sleep(3)
    return await _exact(program, range(200))


async def _exact(program: Program, numbers: range) -> bool:
    try:
        counted = await program.until_counted(len(expected(numbers)), seconds=25)
    except AssertionError:
        return False
    return sorted(all_of(counted)) == sorted(expected(numbers))


SCENARIOS = {
    "seen": _posted_twice,
    "outbox": _killed_between_commit_and_publish,
    "marks": _published_again_by_the_next_owner,
    "fence": _paused_with_work_in_hand,
}


@pytest.mark.parametrize("mechanism", SCENARIOS)
async def test_the_scenario_is_exact_with_all_mechanisms(program: Program, mechanism: str) -> None:
    assert await SCENARIOS[mechanism](program, ""), program.logs()


@pytest.mark.parametrize("mechanism", SCENARIOS)
async def test_the_scenario_goes_wrong_without_its_mechanism(program: Program, mechanism: str) -> None:
    assert not await SCENARIOS[mechanism](program, mechanism), f"without {mechanism} nothing went wrong: the scenario proves nothing"

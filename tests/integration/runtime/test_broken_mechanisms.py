"""Each scenario passes with all mechanisms and goes wrong without the one that it is about: the tests of exactness can fail."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

import pytest
from integration.runtime.program import Program, all_of, expected
from stack import Stack

Verdict = Literal["exact", "doubled", "lost"]
TRIES = 3


@pytest.fixture
async def program(stack: Stack) -> AsyncIterator[Program]:
    made = await Program.create(stack)
    yield made
    made.close()


async def _posted_twice(program: Program, broken: str) -> Verdict:
    program.start("a", RELAY_BREAK=broken)
    await program.post(range(60))
    await program.until_counted(180)
    await program.post(range(60))
    await asyncio.sleep(3)
    return await _verdict(program, range(60))


async def _killed_between_commit_and_publish(program: Program, broken: str) -> Verdict:
    await program.post(range(40))
    program.start("a", RELAY_BREAK=broken, RELAY_PARTS="relay", RELAY_DIE="between_commit_and_publish")
    assert program.processes.pop("a").wait(30) == 9
    program.start("a", RELAY_BREAK=broken)
    return await _verdict(program, range(40))


async def _published_again_by_the_next_owner(program: Program, broken: str) -> Verdict:
    program.start("a", RELAY_BREAK=broken)
    await program.post(range(40))
    await program.until_counted(120)
    program.kill("a")
    program.start("a", RELAY_BREAK=broken)
    await program.post(range(40, 50))
    return await _verdict(program, range(50))


async def _paused_with_work_in_hand(program: Program, broken: str) -> Verdict:
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
    return await _verdict(program, range(200))


async def _verdict(program: Program, numbers: range) -> Verdict:
    """What an outside observer sees: everything once, something doubled, or something lost."""
    wanted = expected(numbers)
    try:
        counted = all_of(await program.until_counted(len(wanted), seconds=25))
    except AssertionError:
        counted = all_of(await program.tally())
    if len(counted) > len(set(counted)):
        return "doubled"
    return "exact" if set(counted) == wanted else "lost"


SCENARIOS: dict[str, tuple[Callable[[Program, str], Awaitable[Verdict]], Verdict]] = {
    "seen": (_posted_twice, "doubled"),
    "outbox": (_killed_between_commit_and_publish, "lost"),
    "marks": (_published_again_by_the_next_owner, "doubled"),
    "fence": (_paused_with_work_in_hand, "doubled"),
}


@pytest.mark.parametrize("mechanism", SCENARIOS)
async def test_the_scenario_is_exact_with_all_mechanisms(program: Program, mechanism: str) -> None:
    scenario, _ = SCENARIOS[mechanism]
    assert await scenario(program, "") == "exact", program.logs()


@pytest.mark.parametrize("mechanism", SCENARIOS)
async def test_the_scenario_goes_wrong_without_its_mechanism(stack: Stack, mechanism: str) -> None:
    """Once is enough: on a busy machine PostgreSQL may end the transaction of a paused owner before it wakes, and nothing goes wrong."""
    scenario, wrong = SCENARIOS[mechanism]
    verdicts: list[Verdict] = []
    while wrong not in verdicts and len(verdicts) < TRIES:
        program = await Program.create(stack)
        try:
            verdicts.append(await scenario(program, mechanism))
        finally:
            program.close()
    assert wrong in verdicts, verdicts

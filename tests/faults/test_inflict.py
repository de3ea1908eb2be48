"""Harm that overlaps lasts as long as the longest of it: the end of a shorter fault heals nothing that another one still holds."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any, cast

from faults.inflict import Inflicter
from faults.means import clocks
from faults.plan import Fault

PID = 7


class Stand:
    """One replica; what is done to it, in order. It is its own proxies and equipment."""

    def __init__(self, folder: Path) -> None:
        self.done: list[Any] = []
        self.proxies = self.equipment = self
        self._clock = folder / "clock"

    def pid(self, _name: str) -> int:
        return PID

    def signal(self, _name: str, number: signal.Signals) -> int:
        self.done.append(number)
        return PID

    async def set(self, routes: list[str], mode: str, *_more: float) -> None:
        self.done += [(route, mode) for route in routes]

    def clock(self, _name: str) -> Path:
        return self._clock


async def inflicted(stand: Stand, *faults: Fault) -> list[Any]:
    """What was done, in order."""
    await Inflicter(cast("Any", stand)).carry_out(faults, asyncio.get_running_loop().time(), lambda _: None)
    return stand.done


async def test_a_frozen_replica_goes_on_when_its_longest_freeze_is_over(tmp_path: Path) -> None:
    long, short = (Fault(at=0, kind="freeze", target="scoring-0", seconds=seconds) for seconds in (0.2, 0.02))
    assert await inflicted(Stand(tmp_path), long, short) == [signal.SIGSTOP, signal.SIGSTOP, signal.SIGCONT]


async def test_a_route_passes_again_when_nothing_holds_it_and_the_other_one_before(tmp_path: Path) -> None:
    both = Fault(at=0, kind="blackhole", target="scoring-0", way="both", seconds=0.02)
    one = Fault(at=0, kind="cut", target="scoring-0", way="kafka", seconds=0.2)
    held, other = "kafka/scoring-0", "postgres/scoring-0"
    done = await inflicted(Stand(tmp_path), both, one)
    assert done == [(held, "blackhole"), (other, "blackhole"), (held, "cut"), (other, "pass"), (held, "pass")]


async def test_a_clock_is_right_again_when_the_last_jump_is_over(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    clocks.jump(stand.clock(""), 0)
    right = stand.clock("").read_text()
    jumps = [Fault(at=0, kind="jump", target="scoring-0", seconds=seconds, amount=13.1) for seconds in (0.3, 0.02)]
    going_on = asyncio.create_task(inflicted(stand, *jumps))
    await asyncio.sleep(0.15)
    assert stand.clock("").read_text() != right
    await going_on
    assert stand.clock("").read_text() == right

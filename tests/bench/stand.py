"""What every part of the benchmark stands on: how much to measure, whom to tell, and a stack that runs as a user runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from ring.ring import Ring, start, stop

from bench.calibration import Calibration


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One run of the benchmark. `seconds` per measurement under steady load, `events` of a backlog, by so many `customers`.

    `crowd`: how many customers there are in all where growth is measured, most of whom do nothing.
    """

    folder: Path
    say: Callable[[str], None]
    rounds: int = 3
    seconds: float = 5.0
    events: int = 20_000
    customers: int = 2_000
    crowd: int = 1_000_000
    calibration: Calibration = field(default_factory=Calibration)

    def begin(self, what: str, number: int) -> None:
        """Says that a round begins, and calibrates."""
        self.say(f"{what}, round {number + 1} of {self.rounds} (calibration {self.calibration.sample():.1f})")


@asynccontextmanager
async def standing(state: Path, *options: str) -> AsyncIterator[Ring]:
    """A stack of its own, by `nextwave up`; stopped at the end."""
    await asyncio.to_thread(start, state, *options)
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            yield Ring(state, client)
    finally:
        await asyncio.to_thread(stop, state)

"""Twice a second: reads what came on the topics, and writes down how far everything is behind and how much memory it holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import psutil

from faults.observer.evidence import Evidence
from faults.observer.reading import Reading
from faults.stand import Stand

EVERY_SECONDS = 0.5
MEMORY_EVERY = 4
MEGABYTE = 1e6
SLICE = 500
"""Records taken in at a time, so that the driver's own work is not held up."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: wall seconds, touchpoints on the topic and not yet in a profile, accepted so far, megabytes by process."""

    at: float
    behind: int
    accepted: int
    memory: dict[str, float]


@dataclass
class Sampler:
    """Keeps the observer's book up to date while it runs."""

    stand: Stand
    evidence: Evidence
    samples: list[Sample] = field(default_factory=list)

    @asynccontextmanager
    async def running(self, reading: Reading) -> AsyncIterator[None]:
        """Looks until the block ends, and once more then."""
        task = asyncio.create_task(self._look_again_and_again(reading))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self._read(reading)

    def most(self) -> dict[str, float]:
        """The most memory that each process held, megabytes."""
        held: dict[str, float] = {}
        for sample in self.samples:
            held |= {name: max(megabytes, held.get(name, 0.0)) for name, megabytes in sample.memory.items()}
        return held

    async def _look_again_and_again(self, reading: Reading) -> None:
        number = 0
        while True:
            await self._read(reading)
            self.samples.append(self._sample(with_memory=number % MEMORY_EVERY == 0))
            number += 1
            await asyncio.sleep(EVERY_SECONDS)

    async def _read(self, reading: Reading) -> None:
        for number, raw in enumerate(reading.take()):
            self.evidence.book.take(raw)
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)

    def _sample(self, *, with_memory: bool) -> Sample:
        book = self.evidence.book
        behind = sum(name not in book.taken for name in book.arrivals)
        memory: dict[str, float] = {}
        for name in self.stand.names() if with_memory else ():
            with suppress(psutil.Error):
                memory[name] = psutil.Process(self.stand.pid(name)).memory_info().rss / MEGABYTE
        return Sample(time.time(), behind, len(book.arrivals), memory)

"""What must be posted to Nextwave later: a bounded queue in business time, sent by a few workers, counted by what became of it."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

import httpx
from nextwave_contracts.clock import ClockSetting

WAITING_MAX = 200_000
WORKERS = 24
TRIES = 8
FIRST_PAUSE_SECONDS = 0.25
TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One request. `kind` is what it is counted under; `touchpoint` says whether a 2xx to it is a touchpoint taken in."""

    kind: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    touchpoint: bool = True
    stamp: Callable[[float], Mapping[str, str]] | None = None
    """Headers that depend on when it is sent (Unix seconds), for instance a signature with a time."""


class Errands:
    """The queue and its workers. `clock` turns business instants into wall time."""

    def __init__(self, clock: ClockSetting, client: httpx.AsyncClient) -> None:
        self._clock = clock
        self._client = client
        self._waiting: list[tuple[float, int, Errand]] = []
        self._order = count()
        self._due: asyncio.Queue[Errand] = asyncio.Queue(WORKERS)
        self._changed = asyncio.Event()
        self._at_work = 0
        self._outcomes: dict[str, Counter[str]] = {}
        self._touchpoints = 0

    def add(self, errand: Errand, at: datetime) -> None:
        """Plans an errand for a business instant; when too many wait it is dropped and counted so."""
        if len(self._waiting) >= WAITING_MAX:
            self._note(errand, "dropped")
            return
        heapq.heappush(self._waiting, (self._clock.wall(at), next(self._order), errand))
        self._changed.set()

    def statistics(self) -> dict[str, object]:
        """Per kind how many were `accepted`, `refused`, `failed`, `dropped`; `touchpoints`: those a door took in; `waiting`."""
        waiting = len(self._waiting) + self._due.qsize() + self._at_work
        errands = {kind: dict(counts) for kind, counts in self._outcomes.items()}
        return {"errands": errands, "touchpoints": self._touchpoints, "waiting": waiting}

    async def run(self) -> None:
        """Sends what is due, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())
            while True:
                await self._wait()
                while self._waiting and self._waiting[0][0] <= time.time():
                    await self._due.put(heapq.heappop(self._waiting)[2])

    async def _wait(self) -> None:
        self._changed.clear()
        pause = self._waiting[0][0] - time.time() if self._waiting else 60.0
        try:
            async with asyncio.timeout(max(0.0, min(pause, 60.0))):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _work(self) -> None:
        while True:
            errand = await self._due.get()
            self._at_work += 1
            try:
                self._note(errand, await self._send(errand))
            finally:
                self._at_work -= 1

    async def _send(self, errand: Errand) -> str:
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            stamped = errand.stamp(time.time()) if errand.stamp else {}
            try:
                answer = await self._client.request(errand.method, errand.url, headers={**errand.headers, **stamped}, content=errand.body)
            except httpx.HTTPError:
                continue
            if answer.is_success or answer.is_redirect:
                return "accepted"
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS and not answer.is_server_error:
                return "refused"
        return "failed"

    def _note(self, errand: Errand, outcome: str) -> None:
        self._outcomes.setdefault(errand.kind, Counter())[outcome] += 1
        self._touchpoints += errand.touchpoint and outcome == "accepted"

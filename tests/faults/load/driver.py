"""Posts lives to ingest as real sources do: again until a 2xx, to one replica or another, some things twice; and keeps the list."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from faults.load.lives import LATE, Life, Post
from faults.observer.evidence import Posted

ATTEMPT_SECONDS = 10.0
"""Twice what ingest gives Kafka before it says 503."""
AGAIN_SECONDS = (0.1, 0.3, 0.7, 1.5)
DUPLICATES = 0.2
DUPLICATE_LATER_SECONDS = 8.0
CONSENT_SOURCE = "faults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where ingest's replicas listen, and the write key."""

    urls: tuple[str, ...]
    write_key: str


@dataclass
class Driver:
    """One run's load. `rate` is lives begun per second; `now` gives business time, for stamps that sources set."""

    doors: Doors
    client: httpx.AsyncClient
    chance: random.Random
    now: Callable[[], datetime]
    posted: dict[str, Posted] = field(default_factory=dict)
    lives: list[Life] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)
    """Whose lives ended as they should."""
    gave_up_at: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    unanswered: list[tuple[int, float, float]] = field(default_factory=list)
    """Requests without an answer: the replica's number, from when to when (wall seconds)."""
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _patient: bool = True

    async def live(self, lives: Iterator[Life], rate: float, until: float) -> None:
        """Begins lives at random instants, so many a second on average, until the monotonic instant `until`."""
        while (pause := self.chance.expovariate(rate)) + time.monotonic() < until:
            await asyncio.sleep(pause)
            life = next(lives)
            self.lives.append(life)
            self._begin(self._live(life))

    async def begin(self, lives: Iterable[Life]) -> None:
        """Begins these lives at once."""
        for life in lives:
            self.lives.append(life)
            self._begin(self._live(life))

    async def finish(self, seconds: float) -> None:
        """Waits for lives under way to end, within limits; then whatever was not accepted is given up."""
        deadline = time.monotonic() + seconds
        while self._under_way and time.monotonic() < deadline:
            await asyncio.wait(self._under_way, timeout=max(0.0, deadline - time.monotonic()))
        self._patient, self.gave_up_at = False, time.time()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _live(self, life: Life) -> None:
        for step in life.steps:
            await asyncio.sleep(step.pause_seconds)
            await asyncio.gather(*(self._deliver(post) for post in step.posts))
        self.whole.add(life.name)

    async def _deliver(self, post: Post) -> None:
        """Posts until accepted, as an SDK does, and sometimes once more later."""
        kept = self.posted[post.id] = Posted.of(post, time.time())
        request = self._request(post)
        attempt = 0
        while self._patient and not kept.accepted_at:
            status = await self._attempt(request)
            kept.attempts += 1
            if status and 200 <= status < 300:
                kept.accepted_at = time.time()
            else:
                await asyncio.sleep(AGAIN_SECONDS[min(attempt, len(AGAIN_SECONDS) - 1)] * self.chance.uniform(0.5, 1.5))
            attempt += 1
        if self.chance.random() < DUPLICATES:
            self._begin(self._repeat(request, self.chance.uniform(0, DUPLICATE_LATER_SECONDS)))

    async def _repeat(self, request: dict[str, Any], later: float) -> None:
        await asyncio.sleep(later)
        await self._attempt(request)

    async def _attempt(self, request: dict[str, Any]) -> int:
        replica, began, status = self.chance.randrange(len(self.doors.urls)), time.time(), 0
        url = self.doors.urls[replica] + request["path"]
        with suppress(httpx.HTTPError):
            status = (await self.client.post(url, content=request["content"], headers=request["headers"])).status_code
        if not status:
            self.unanswered.append((replica, began, time.time()))
        name = str(status) if status else "no answer"
        self.statuses[name] = self.statuses.get(name, 0) + 1
        return status

    def _request(self, post: Post) -> dict[str, Any]:
        if post.call == "event":
            body: dict[str, Any] = {"specversion": "1.0", "id": post.id, "source": CONSENT_SOURCE, **post.body}
            path, kind = "/v1/touchpoints", "application/cloudevents+json"
        else:
            stamp = LATE if post.kind == "late_ask" else ""
            stamp = (self.now() - timedelta(hours=post.late_hours)).isoformat() if post.stamped else stamp
            body = {key: value for key, value in post.body.items() if value} | {"messageId": post.id}
            body |= {"timestamp": stamp} if stamp else {}
            path, kind = f"/v1/{post.call}", "application/json"
        headers = {"content-type": kind, "x-write-key": self.doors.write_key}
        return {"path": path, "content": json.dumps(body).encode(), "headers": headers}

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

"""Doors that refused something, and the routes of what was rejected over them, with the topic in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import REJECTED
from nextwave_contracts.wire import decode, encode
from nextwave_ingest.doors.cloudevents import CloudEventsDoor
from nextwave_ingest.doors.inbound import InboundDoor
from nextwave_ingest.doors.posthog import PostHogDoor
from nextwave_ingest.doors.segment import SegmentDoor
from nextwave_ingest.mappings.document import Document
from nextwave_ingest.mappings.library import Library
from nextwave_ingest.reception import Reception
from nextwave_ingest.records import Record
from nextwave_ingest.rejected.api import rejected_router
from nextwave_ingest.rejected.entries import Bounds, Entry, Place, entry_of
from nextwave_ingest.rejected.log import Fits, Page
from nextwave_ingest.rejected.marks import Marks
from nextwave_ingest.rejected.redriver import Redriver
from nextwave_runtime import problem
from nextwave_runtime.auth import Keyring
from unit.ingest.fakes import IDENTIFIER_KEY, NOW, FixedClock, MemoryCommitter, Stand, basic

LATER = NOW + timedelta(hours=3)
"""When somebody redrives."""
BATCH = {"content-type": "application/cloudevents-batch+json", "authorization": basic("wk_erp")}


class MemoryLog:
    """The rejected topic in memory: what a committer was given, in two partitions."""

    def __init__(self, committer: MemoryCommitter) -> None:
        self._committer = committer

    def _all(self) -> list[tuple[Place, Rejected]]:
        kept = [decode(r.value, Rejected) for r in self._committer.records if r.topic == REJECTED.name]
        return [(Place(n % 2, n // 2), one) for n, one in enumerate(kept)]

    async def page(self, fits: Fits, *, since: datetime | None, bounds: Bounds | None, limit: int) -> Page:
        below = {0: 10**9, 1: 10**9} if bounds is None else dict(bounds)
        found: list[Entry] = []
        for place, kept in reversed(self._all()):
            if len(found) == limit:
                return Page(found, below)
            if place.offset < below[place.partition]:
                below[place.partition] = place.offset
                found += [entry for entry in [entry_of(kept, place)] if fits(entry) and (since is None or kept.at >= since)]
        return Page(found, None)

    async def read(self, places: Sequence[Place]) -> AsyncGenerator[Rejected | None, None]:
        kept = dict(self._all())
        for place in places:
            yield kept.get(place)


@dataclass
class Office:
    """Doors that refused something, and the routes over it as another replica has them, hours later."""

    doors: Stand
    api: FastAPI

    async def call(self, method: str, path: str, role: str = "operator", **more: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.api), base_url="http://ingest") as client:
            return await client.request(method, path, headers={"authorization": f"Bearer at_{role}"}, **more)


def office(folder: Path, doors: Stand, *, documents: Sequence[Document] = ()) -> Office:
    keyring = Keyring(folder / "keys.json")
    reception = Reception(doors.committer, keyring, FixedClock(LATER), identifier_key=IDENTIFIER_KEY.encode(), trace_ratio=0.0)
    judges = (
        SegmentDoor(reception, complaint_events={}, currency="EUR"),
        PostHogDoor(reception, complaint_events={}, currency="EUR"),
        CloudEventsDoor(reception),
        InboundDoor(reception, Library(documents), secrets={}, url=""),
    )
    api = FastAPI()
    problem.install(api)
    redriver = Redriver(MemoryLog(doors.committer), {judge.name: judge for judge in judges}, doors.committer, Marks(), reception.now)
    api.include_router(rejected_router(keyring, redriver))
    return Office(doors, api)


def event(kind: str, number: int = 1, **data: Any) -> dict[str, Any]:
    about = {"specversion": "1.0", "id": f"e{number}", "source": "/erp", "type": kind, "subject": "email:ann@example.com"}
    return {**about, "data": {"note": "call +12125550177", "email": "ann@example.com", "amount_due": 5, **data}}


def kept_of(topic: str, payload: bytes, **more: Any) -> Record:
    about: dict[str, Any] = {"reason": "fold_failed", "detail": "KeyError", "processor": "scoring", "partition": 3, "offset": 9, "at": NOW}
    kept = Rejected(**{**about, "topic": topic, "payload": payload, "key": "customer_id:7", **more})
    return Record(REJECTED.name, b"k", encode(kept), [])

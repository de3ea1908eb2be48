"""Hand-written stand-ins for ingest's own ports, and the door of a test: the real application over a committer in memory."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import httpx
import msgspec
from nextwave_contracts.holds import Hold
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import HOLDS, MAPPINGS, REJECTED, SOURCES, TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import decode
from nextwave_ingest.app import Followed, create_app
from nextwave_ingest.mappings.document import Document
from nextwave_ingest.mappings.library import Library, shipped
from nextwave_ingest.mappings.log import MappingLog
from nextwave_ingest.records import Record
from nextwave_ingest.rejected.marks import Marks
from nextwave_ingest.settings import IngestSettings
from nextwave_ingest.sources.telling import Telling
from nextwave_runtime.auth import Key, KeyFile, Role, hash_secret
from nextwave_runtime.health import App
from nextwave_runtime.problem import Problem

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
WRITE_KEY = "wk_shop"
API_TOKEN = "at_viewer"
LINK_KEY = "l" * 32
IDENTIFIER_KEY = "i" * 32


class MemoryCommitter:
    """Keeps what was committed; `problem` makes every commit fail with it. `before` is called first, `heard` with each mapping's record."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.problem: Problem | None = None
        self.before: Callable[[], None] = lambda: None
        self.heard: Callable[[bytes], None] = lambda _value: None
        self.told: Callable[[bytes], None] = lambda _value: None

    async def commit(self, records: Iterable[Record]) -> None:
        if self.problem is not None:
            raise self.problem
        self.before()
        made = list(records)
        self.records.extend(made)
        for record in made:
            if record.topic == MAPPINGS.name:
                self.heard(record.value)
            if record.topic == SOURCES.name:
                self.told(record.value)

    @property
    def touchpoints(self) -> list[Touchpoint]:
        return [decode(r.value, Touchpoint) for r in self.records if r.topic == TOUCHPOINTS.name]

    @property
    def holds(self) -> list[Hold]:
        return [decode(r.value, Hold) for r in self.records if r.topic == HOLDS.name]

    @property
    def rejected(self) -> list[Rejected]:
        return [decode(r.value, Rejected) for r in self.records if r.topic == REJECTED.name]


@dataclass
class FixedClock:
    """Business time that stands still."""

    instant: datetime = NOW

    def now(self) -> datetime:
        return self.instant

    def at(self, wall_seconds: float) -> datetime:  # noqa: ARG002  (the port's name)
        return self.instant


@dataclass
class Stand:
    """The application, what it commits to, and a client in front of it."""

    app: App
    committer: MemoryCommitter
    clock: FixedClock
    mappings: MappingLog
    telling: Telling

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://ingest")

    async def post(
        self, path: str, body: Any = None, *, content: bytes | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Posts with the shop's write key; `content` are bytes as they are, `body` becomes JSON."""
        sent = msgspec.json.encode(body) if content is None else content
        async with self.client() as client:
            return await client.post(path, content=sent, headers={"authorization": basic(WRITE_KEY)} | (headers or {}))


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def write_keys(folder: Path, *more: Key) -> Path:
    """A key file with the write keys of a shop, a call centre, an operator's desk and agents, a token per role, and more."""
    keys = (
        Key(name="shop", kind="write", hash=hash_secret(WRITE_KEY, "p")),
        Key(name="callcentre", kind="write", hash=hash_secret("wk_calls", "p")),
        Key(name="desk", kind="write", hash=hash_secret("wk_desk", "p"), roles=("operator",)),
        Key(name="phones", kind="write", hash=hash_secret("wk_phones", "p"), roles=("agent",)),
        *(Key(name=role, kind="api", hash=hash_secret(f"at_{role}", "p"), roles=(role,)) for role in get_args(Role)),
        *more,
    )
    path = folder / "keys.json"
    path.write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=keys)))
    return path


def key_of(name: str, **fields: Any) -> Key:
    """A write key whose secret is `wk_` and its name."""
    return Key(name=name, kind="write", hash=hash_secret(f"wk_{name}", "p"), **fields)


def stand(folder: Path, *more: Key, documents: Sequence[Document] | None = None, **settings: Any) -> Stand:
    """A fresh application; `more` keys beside the usual ones, other mappings than are shipped."""
    usual: dict[str, Any] = {"link_key": LINK_KEY, "trace_ratio": 0.0}
    chosen = IngestSettings(keys_file=write_keys(folder, *more), identifier_key=IDENTIFIER_KEY, **(usual | settings))
    committer, clock = MemoryCommitter(), FixedClock()
    mappings = MappingLog(committer, Library(shipped() if documents is None else documents))
    telling = Telling(committer, "test", lambda: NOW)
    committer.heard, committer.told = mappings.take, telling.take
    return Stand(create_app(chosen, committer, clock, Followed(mappings, telling, Marks())), committer, clock, mappings, telling)

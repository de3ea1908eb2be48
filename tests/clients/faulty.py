"""A proxy in front of the doors that fails as networks and servers do, by a plan, and then lets everything through.

A client is given `http://host/<client>/<case>` as its server; the plan of the case says what happens to its posts, one step after the
other. What the steps `429`, `500` and `503` answer is what the door itself answers when its committer is in that trouble.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

HANG_SECONDS = 6.0
"""Longer than any client of the tests waits for an answer."""
SKEW = timedelta(days=3)
_STAMPS = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^"\s]*)"')
_IDS = ("messageId", "uuid")
_SENT = "posthog-request-timestamp"
"""A header that tells the client's clock as its body does."""


@dataclass
class Posted:
    """A request as it came: its head's first line and the headers that are passed on."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def place(self) -> tuple[str, str]:
        """Client and case."""
        parts = self.line.split(" ")[1].split("/", 3)
        return (parts[1], parts[2]) if len(parts) > 3 else ("", "")

    def head(self, body: bytes, **more: str) -> bytes:
        """The head without the place."""
        method, path, version = self.line.split(" ")
        headers = self.headers | more | {"content-length": str(len(body)), "connection": "close"}
        lines = [f"{method} /{path.split('/', 3)[3]} {version}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass
class FaultyProxy:
    """Listens on a loopback port once it runs. `steps`: what happened to the posts of each client and case, in order."""

    upstream: int
    plans: Mapping[str, str]
    port: int = 0
    steps: defaultdict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of one connection."""
        try:
            posted = await _read(reader)
            answer = await self._answer(posted)
            if answer:
                writer.write(answer)
                await writer.drain()
                writer.close()
            else:
                writer.transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()

    async def _answer(self, posted: Posted) -> bytes:
        """What the client gets; nothing: its connection is cut."""
        if not posted.line.startswith("POST"):
            return await self._passed(posted, posted.body)
        step = self._step(posted.place)
        body = posted.body
        for change in step.split("+"):
            body = _changed(change, body)
            if _SENT in posted.headers:
                posted.headers[_SENT] = _changed(change, f'"{posted.headers[_SENT]}"'.encode()).decode().strip('"')
        if "lost" in step:
            await asyncio.sleep(HANG_SECONDS)
            return b""
        trouble = re.search(r"429|500|503", step)
        answer = await self._passed(posted, body, **({"x-trouble": trouble[0]} if trouble else {}))
        if "twice" in step:
            answer = await self._passed(posted, body)
        if "hang" in step:
            await asyncio.sleep(HANG_SECONDS)
        return b"" if "hang" in step or "cut" in step else answer

    def _step(self, place: tuple[str, str]) -> str:
        plan, done = self.plans[place[1]].split(" "), self.steps[place]
        step = plan[len(done)] if len(done) < len(plan) else plan[-1] if plan[-1].endswith("*") else "ok"
        done.append(step)
        return step

    async def _passed(self, posted: Posted, body: bytes, **more: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        writer.write(posted.head(body, **more) + body)
        await writer.drain()
        answer = await reader.read(-1)
        writer.close()
        return answer


async def _read(reader: asyncio.StreamReader) -> Posted:
    line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (header.partition(":") for header in lines)}
    headers.pop("expect", None)
    return Posted(line, headers, await reader.readexactly(int(headers.pop("content-length", "0"))))


def _changed(change: str, body: bytes) -> bytes:
    """The body of a client whose clock is wrong, or that gives its events no ids."""
    if change.rstrip("*") not in ("ahead", "behind", "nameless"):
        return body
    zipped = body[:2] == b"\x1f\x8b"
    text = (gzip.decompress(body) if zipped else body).decode()
    if change.startswith("nameless"):
        text = json.dumps(_nameless(json.loads(text)))
    else:
        skew = SKEW if change.startswith("ahead") else -SKEW
        text = _STAMPS.sub(lambda stamp: f'"{(datetime.fromisoformat(stamp[1]) + skew).isoformat()}"', text)
    return gzip.compress(text.encode()) if zipped else text.encode()


def _nameless(said: Any) -> Any:
    if isinstance(said, list):
        return [_nameless(item) for item in said]
    if isinstance(said, dict):
        return {key: _nameless(value) for key, value in said.items() if key not in _IDS}
    return said


@contextmanager
def running(proxy: FaultyProxy) -> Iterator[str]:
    """The proxy in a thread of its own; its URL."""
    started, ended, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def run() -> None:
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=1 << 20)
        proxy.port = server.sockets[0].getsockname()[1]
        started.set()
        await ended.wait()
        server.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert started.wait(10)
    yield f"http://127.0.0.1:{proxy.port}"
    loop.call_soon_threadsafe(ended.set)
    thread.join(10)

"""A load generator in a process of its own, on a bare asyncio.Protocol, so that it costs little beside its subject.

`python -m bench.load` reads a `Plan` (msgpack) from standard input and writes a `Posted` (JSON) to standard output.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import uvloop

TICK_SECONDS = 0.001
STUCK_SECONDS = 60.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Requests to post. With `seconds` again and again for so long; with `rate` each once, so many a second; else each once, at once."""

    host: str
    port: int
    requests: list[bytes]
    connections: int = 64
    seconds: float = 0.0
    rate: float = 0.0


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. `began_at` is Unix time; `late_ms` is by how much the slowest request of a paced run left after its time."""

    began_at: float
    answered: int
    failed: int
    seconds: float
    cpu_seconds: float
    late_ms: float


class Connection(asyncio.Protocol):
    """One request at a time; says when its answer is there, and whether it was a success."""

    def __init__(self, answered: Callable[[Connection, bool], None]) -> None:
        self._answered = answered
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None

    def send(self, request: bytes) -> None:
        """Posts; the connection must be idle."""
        assert self._transport is not None, "the server closed a connection that it was to keep"
        self._transport.write(request)

    def close(self) -> None:
        """Ends it."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        place = received.find(b"content-length: ", 0, end)
        length = int(received[place + 16 : received.find(b"\r", place)]) if place >= 0 else 0
        if len(received) >= end + 4 + length:
            self._received = b""
            self._answered(self, received[9:10] == b"2")


class Generator:
    """Carries a plan out."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._idle: deque[Connection] = deque()
        self._freed = asyncio.Event()
        self._answered = 0
        self._failed = 0
        self._sent = 0
        self._late = 0.0

    async def run(self) -> Posted:
        """Posts everything and waits for the answers."""
        loop = asyncio.get_running_loop()
        for _ in range(self._plan.connections):
            _, connection = await loop.create_connection(lambda: Connection(self._on_answer), self._plan.host, self._plan.port)
            self._idle.append(connection)
        began_at, began, cpu = time.time(), time.perf_counter(), time.process_time()
        await (self._paced(began) if self._plan.rate else self._flat_out(began))
        async with asyncio.timeout(STUCK_SECONDS):
            while self._answered + self._failed < self._sent:
                await self._wait()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        for connection in self._idle:
            connection.close()
        return Posted(
            began_at=began_at,
            answered=self._answered,
            failed=self._failed,
            seconds=seconds,
            cpu_seconds=cpu,
            late_ms=self._late * 1000,
        )

    async def _flat_out(self, began: float) -> None:
        plan = self._plan
        while self._sent < len(plan.requests) if not plan.seconds else time.perf_counter() < began + plan.seconds:
            if self._idle:
                self._send()
            else:
                await self._wait()

    async def _paced(self, began: float) -> None:
        while self._sent < len(self._plan.requests):
            elapsed = time.perf_counter() - began
            if self._sent >= elapsed * self._plan.rate:
                await asyncio.sleep(TICK_SECONDS)
            elif self._idle:
                self._late = max(self._late, elapsed - self._sent / self._plan.rate)
                self._send()
            else:
                await self._wait()

    def _send(self) -> None:
        self._idle.popleft().send(self._plan.requests[self._sent % len(self._plan.requests)])
        self._sent += 1

    async def _wait(self) -> None:
        self._freed.clear()
        await self._freed.wait()

    def _on_answer(self, connection: Connection, success: bool) -> None:
        if success:
            self._answered += 1
        else:
            self._failed += 1
        self._idle.append(connection)
        self._freed.set()


def main() -> None:
    """Standard input to standard output."""
    plan = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(Generator(plan).run())))


if __name__ == "__main__":
    main()

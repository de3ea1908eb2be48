"""A server's connection without a network: a wire that is looked at, and a loop whose clock is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nextwave_runtime.bounded_http import BoundedProtocol, Crowd
from uvicorn import Config
from uvicorn.server import ServerState

GET = b"GET / HTTP/1.1\r\nHost: i\r\n\r\n"


class Wire(asyncio.Transport):
    """A connection whose other side takes nothing, or everything."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.writes = 0
        self.waiting = 0
        self.ended = ""

    def write(self, data: Any) -> None:
        self.sent += bytes(data)
        self.writes += 1

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Loop:
    """The loop of the test, whose clock is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self._real = asyncio.get_running_loop()

    def time(self) -> float:
        return self.now

    def create_task(self, *given: Any, **more: Any) -> Any:
        return self._real.create_task(*given, **more)

    def call_later(self, _seconds: float, _call: Callable[..., Any]) -> Any:
        return self._real.call_later(3600, lambda: None)


def connect(crowd: Crowd, loop: Loop, app: Any) -> tuple[BoundedProtocol, Wire]:
    connection, wire = crowd.protocol(config=Config(app), server_state=ServerState(), app_state={}, _loop=loop), Wire()
    connection.connection_made(wire)
    return connection, wire

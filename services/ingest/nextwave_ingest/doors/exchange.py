"""Plain ASGI for the hot routes: a request whose body is bounded while it is read, and an answer."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Protocol

from nextwave_runtime.health import App, Receive, Scope, Send
from nextwave_runtime.problem import MEDIA_TYPE, Problem, WrongMethodProblem

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
READ_SECONDS = 30.0
"""How long a client may take to send the rest of a body that did not come at once."""
DISCARD_SECONDS = 5.0
DISCARDED_BYTES_MAX = 4_000_000
"""What is read of a body that is too large, before it is refused."""
SMALLER_BATCHES = "send smaller batches"
_GZIP_MAGIC = b"\x1f\x8b"
_JSON_STARTS = (b"{", b"[")

Headers = list[tuple[bytes, bytes]]


class ClientGoneError(Exception):
    """The client closed the connection before its body was complete; there is nobody to answer."""


class TooLargeError(Exception):
    """A body has more bytes than it may have."""


class Answer(NamedTuple):
    """An HTTP answer. `content-length` is added when it is sent."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Door(Protocol):
    """What answers the requests of some routes. `headers` go with each of its answers, problems included."""

    @property
    def name(self) -> str:
        """For metrics."""

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What every answer carries."""

    async def __call__(self, request: Request) -> Answer:
        """Raises `Problem` for any other answer."""


class Room:
    """How many bytes of unfinished bodies are kept, over all requests; one that is there at once takes no room."""

    def __init__(self, bytes_max: int) -> None:
        self._free = bytes_max

    def take(self, size: int) -> None:
        """Raises a 429 `Problem` where there is no more."""
        if size > self._free:
            raise Problem(429, "overloaded", "too many requests are being sent at once; send the same again later", retry_after_seconds=1)
        self._free -= size

    def give(self, size: int) -> None:
        """What was taken is free again."""
        self._free += size

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """For a body that is kept while it waits for others. Raises as `take`."""
        self.take(size)
        try:
            yield
        finally:
            self.give(size)


class Request:
    """One HTTP request."""

    __slots__ = ("_receive", "headers", "method", "path", "room", "said", "scope", "source")

    def __init__(self, scope: Scope, receive: Receive, room: Room) -> None:
        self.room = room
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.said: dict[str, Any] = {}
        """What its door must know to understand an item again, kept with those that are refused."""
        self.source = ""
        """Whose request it is, once a key or the path says so."""
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive

    def header(self, name: bytes) -> bytes:
        """The value of a header (lower case name), or nothing."""
        return self.headers.get(name, b"")

    async def body(self, limit: int, fix: str = SMALLER_BATCHES) -> bytes:
        """The body, inflated when it is gzip. Raises a 400, 408, 413 (with the `fix`), 415 or 429 `Problem`, and `ClientGoneError`."""
        try:
            return await self._body(limit)
        except TooLargeError as over:
            raise Problem(413, "too-large", f"a request may have {limit} bytes here, inflated too; {fix}") from over

    async def _body(self, limit: int) -> bytes:
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            await self._discard(int(declared))
            raise TooLargeError
        raw, more = _part_of(await self._receive(), limit)
        if more:  # most bodies are there at once, and a timer costs as much as decoding them
            raw = await self._rest(raw, limit)
        encoding = self.headers.get(b"content-encoding", b"").lower()
        if encoding and encoding not in (b"identity", b"gzip", b"x-gzip"):
            raise Problem(415, "unknown-encoding", "send the body plain or as gzip")
        if raw.startswith(_GZIP_MAGIC):
            return inflate(raw, limit)
        if encoding.endswith(b"gzip") and raw and raw.lstrip()[:1] not in _JSON_STARTS:
            raise Problem(400, "malformed-gzip", "Content-Encoding says gzip, but the body is no gzip stream")
        return raw  # a gateway may have inflated it and left the header

    async def _discard(self, size: int) -> None:
        """Lets a client send to the end what is not kept: one whose connection is reset meanwhile hears no answer, and sends it again."""
        if size > DISCARDED_BYTES_MAX or self.header(b"expect"):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARD_SECONDS):
                while _part_of(await self._receive(), size)[1]:
                    pass

    async def _rest(self, first: bytes, limit: int) -> bytes:
        self.room.take(len(first))
        parts, size, more = [first], len(first), True
        try:
            async with asyncio.timeout(READ_SECONDS):
                while more:
                    part, more = _part_of(await self._receive(), limit - size)
                    self.room.take(len(part))
                    parts.append(part)
                    size += len(part)
        except TimeoutError as slow:
            raise Problem(408, "slow-body", f"send the body within {READ_SECONDS:.0f} seconds") from slow
        finally:
            self.room.give(size)
        return b"".join(parts)


class BoundedBodies:
    """The routes of a framework with the doors' bounds: a body is read, within its size and time, before they see the request."""

    def __init__(self, app: App, room: Room, bytes_max: int) -> None:
        self._app = app
        self._room = room
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self._app(scope, receive, send)
            return
        try:
            waiting = [await Request(scope, receive, self._room).body(self._bytes_max)]
        except ClientGoneError:
            return
        except Problem as problem:
            await send_answer(send, problem_answer(problem))
            return

        async def read() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False} if waiting else await receive()

        await self._app(scope, read, send)


def inflate(raw: bytes, limit: int) -> bytes:
    """The content of a gzip body, never more than `limit` bytes of it in memory. Raises a 400 `Problem` and `TooLargeError`."""
    stream = zlib.decompressobj(wbits=31)
    try:
        content = stream.decompress(raw, limit + 1)
    except zlib.error as wrong:
        raise Problem(400, "malformed-gzip", "the body is no gzip stream") from wrong
    if len(content) > limit:
        raise TooLargeError
    if not stream.eof or stream.unused_data:
        raise Problem(400, "malformed-gzip", "the gzip stream is cut or has something behind its end")
    return content


async def send_answer(send: Send, answer: Answer, more: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Writes an answer."""
    headers: list[Any] = [*answer.headers, *more, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def problem_answer(problem: Problem) -> Answer:
    """A problem as an answer; after one that left the body unread the connection ends."""
    headers = [(b"content-type", MEDIA_TYPE.encode())]
    headers += [(name.encode(), value.encode()) for name, value in problem.headers().items()]
    if problem.kind in ("slow-body", "too-large"):
        headers.append((b"connection", b"close"))
    return Answer(problem.status, problem.body(), tuple(headers))


def allow(request: Request, *methods: str) -> None:
    """Raises a 405 `Problem` for another method."""
    if request.method not in methods:
        raise WrongMethodProblem(", ".join(methods))


def _part_of(message: MutableMapping[str, Any], room: int) -> tuple[bytes, bool]:
    """A part of a body, and whether more follow."""
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    part: bytes = message.get("body", b"")
    if len(part) > room:
        raise TooLargeError
    return part, message.get("more_body", False)

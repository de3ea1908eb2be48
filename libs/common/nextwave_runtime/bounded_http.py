"""What clients may cost the server: uvicorn's HTTP/1.1 with bounds on a request's head, on waiting, and on how many are connected.

uvicorn (0.54, httptools) bounds none of them: it keeps a head of any size, and a new connection that says nothing stays for ever.
And a request that offers `Upgrade: h2c`, as Java's client does, loses its body; here the offer is ignored (RFC 9110, 7.8).
"""

from __future__ import annotations

import asyncio
import resource
from asyncio import Transport
from collections import OrderedDict
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from nextwave_runtime.answering import Exchange
from nextwave_runtime.health import PROBES, App, Receive, Scope, Send
from nextwave_runtime.metrics import HTTP_REFUSED
from nextwave_runtime.problem import MEDIA_TYPE, Problem, response

HEAD_BYTES_MAX = 16 * 1024
"""Names and values of all headers, and the target."""
HEADERS_MAX = 100
HEAD_SECONDS = 10.0
"""How long a connection may owe the head of a request, from its beginning or its last answer on."""
STALL_SECONDS = 30.0
"""How long a client may leave an answer lying before the connection ends."""
FRAMING_BYTES_MAX = 64 * 1024
"""What a body may have beside its content: sizes and extensions of chunks, trailers; and sixteen bytes for each of the content."""
FILES_KEPT = 100
"""Open files that connections leave for everything else: the log, libraries, Kafka."""

HEAD_TOO_LARGE = Problem(
    431,
    "head-too-large",
    f"a request's head may have {HEAD_BYTES_MAX} bytes and {HEADERS_MAX} headers; leave cookies out",
)
FRAMING_TOO_LARGE = Problem(413, "too-large", "the chunks of this body are more frame than content; send larger chunks, without extensions")
MALFORMED = Problem(400, "malformed-http", "this is no HTTP/1.1 request; see RFC 9112")
SLOW_HEAD = Problem(408, "slow-head", f"send the head of a request within {HEAD_SECONDS:.0f} seconds")
FULL = Problem(429, "overloaded", "as many requests as can be held are under way; send the same again later", retry_after_seconds=1)
TARGETS_KEPT = 256
"""Targets of requests that are parsed once: most requests are for few of them."""
_OF_UPGRADES = (b"connection", b"upgrade", b"http2-settings")


class _RefusedError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.kind)
        self.problem = problem


class Crowd:
    """The connections of one server. Give `protocol` to uvicorn, and call `sweep` about once a second."""

    def __init__(self, connections_max: int) -> None:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._room = max(1, connections_max if files == resource.RLIM_INFINITY else min(connections_max, files - FILES_KEPT))
        self._connected = 0
        self._owing: OrderedDict[BoundedProtocol, float] = OrderedDict()
        """Who owes the head of a request, and since when; the oldest first."""
        self._stalled: OrderedDict[BoundedProtocol, float] = OrderedDict()

    def protocol(self, **given: Any) -> BoundedProtocol:
        """A connection, with what uvicorn gives it."""
        return BoundedProtocol(self, **given)

    def arrive(self, connection: BoundedProtocol) -> bool:
        """Whether there is room. Where there is none, whoever has owed a request for the longest time gives way."""
        self._connected += 1
        self.owe(connection)
        if self._connected <= self._room:
            return True
        oldest = next(iter(self._owing))
        if oldest is connection:
            return False
        del self._owing[oldest]
        HTTP_REFUSED.labels("crowded_out").inc()
        oldest.give_up()
        return True

    def leave(self, connection: BoundedProtocol) -> None:
        """The connection has ended."""
        self._connected -= 1
        self._owing.pop(connection, None)
        self._stalled.pop(connection, None)

    def owe(self, connection: BoundedProtocol) -> None:
        """From now on the client owes the head of its next request."""
        self._owing.pop(connection, None)
        self._owing[connection] = connection.loop.time()

    def settle(self, connection: BoundedProtocol) -> None:
        """A head is complete."""
        self._owing.pop(connection, None)

    def stall(self, connection: BoundedProtocol) -> None:
        """The client does not take what it is sent."""
        self._stalled[connection] = connection.loop.time()

    def flow(self, connection: BoundedProtocol) -> None:
        """The client takes it again."""
        self._stalled.pop(connection, None)

    def sweep(self, now: float) -> None:
        """Ends the connections whose time is over; `now` is the loop's time."""
        for slow in _before(now - HEAD_SECONDS, self._owing):
            slow.give_up()
        for stalled in _before(now - STALL_SECONDS, self._stalled):
            HTTP_REFUSED.labels("stalled").inc()
            stalled.transport.abort()


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, crowd: Crowd, **given: Any) -> None:
        super().__init__(**given)
        self._crowd = crowd
        self._in_head = False
        self._chunk = 0
        """Bytes of the part that came last."""
        self._taken = 0
        """Bytes of the parts that came since the head, or the body, began."""
        self._content = 0
        self._offered = False
        """Whether the request offers another protocol: it comes again without."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if not self._crowd.arrive(self):
            self.app = _TurnedAway(self.app)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        while (behind := self._offer(data)) is not None:
            data = self._without_upgrade() + data[behind:]

    def _offer(self, data: bytes) -> int | None:
        """Takes the data in. Where a request offers an upgrade it stops, and tells where its head ends."""
        self._chunk = len(data)
        self._taken += self._chunk
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            return int(offered.args[0])
        except httptools.HttpParserError as wrong:
            self._refuse(wrong.__context__.problem if isinstance(wrong.__context__, _RefusedError) else MALFORMED)
            return None
        if self._in_head and self._taken > HEAD_BYTES_MAX:
            self._refuse(HEAD_TOO_LARGE)
        elif not self._in_head and self._taken - self._content > FRAMING_BYTES_MAX + 16 * self._content:
            self._refuse(FRAMING_TOO_LARGE)
        return None

    def on_message_begin(self) -> None:
        self._in_head, self._taken = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """What is raised here comes out of the parser as the context of its error."""
        if len(self.headers) > HEADERS_MAX or (self._taken + self._chunk > HEAD_BYTES_MAX and self._head_bytes() > HEAD_BYTES_MAX):
            raise _RefusedError(HEAD_TOO_LARGE)
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise _RefusedError(MALFORMED)
        self._in_head, self._taken, self._content = False, 0, 0
        self._offered = self.parser.should_upgrade()
        if self._offered:
            return
        self._crowd.settle(self)
        scope: Scope = self.scope  # type: ignore[assignment]  # a mapping that is being filled
        scope["method"], scope["http_version"] = method.decode(), self.parser.get_http_version()
        scope["path"], scope["raw_path"], scope["query_string"] = _target(self.url)
        self._begin(scope)

    def _begin(self, scope: Scope) -> None:
        """Lets the application answer, at once or after those that came before."""
        before = self.cycle
        self.cycle = Exchange(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=scope["http_version"] != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        self._content += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._offered:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Without a timer for each answer: the crowd knows who owes a request, and since when."""
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())
                return
        if self.cycle.response_complete:
            self._crowd.owe(self)

    def pause_writing(self) -> None:
        self._crowd.stall(self)
        super().pause_writing()

    def resume_writing(self) -> None:
        self._crowd.flow(self)
        super().resume_writing()

    def give_up(self) -> None:
        """Ends a connection that owes a request; a client that has begun one is told why."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        elif self._in_head:
            self._refuse(SLOW_HEAD)
        else:
            self.transport.close()

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _without_upgrade(self) -> bytes:
        """The head of the request again, as one that offers nothing."""
        kept = [(name, value) for name, value in self.headers if name not in _OF_UPGRADES]
        asked = b",".join(value for name, value in self.headers if name == b"connection").lower()
        kept.append((b"connection", b"close" if b"close" in asked else b"keep-alive"))
        target = self.parser.get_method() + b" " + self.url + b" HTTP/1.1\r\n"
        return target + b"".join(name + b": " + value + b"\r\n" for name, value in kept) + b"\r\n"

    def _refuse(self, problem: Problem) -> None:
        """Ends the connection, with an answer where it cannot be taken for that of an earlier request."""
        HTTP_REFUSED.labels(problem.kind.replace("-", "_")).inc()
        cycle = self.cycle
        if cycle is None or cycle.response_complete or (cycle.more_body and not cycle.response_started):
            body = problem.body()
            headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), "connection": "close"} | problem.headers()
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            self.transport.write(STATUS_LINE[problem.status] + lines.encode() + b"\r\n" + body)
        self.transport.close()


@lru_cache(maxsize=TARGETS_KEPT)
def _target(url: bytes) -> tuple[str, bytes, bytes]:
    """Path, raw path and query."""
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return unquote(path) if "%" in path else path, parsed.path, parsed.query or b""


class _TurnedAway:
    """What a connection beyond the crowd's room is answered; the probes are answered all the same."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        HTTP_REFUSED.labels("overloaded").inc()
        answer = response(FULL)
        answer.headers["connection"] = "close"
        await answer(scope, receive, send)


def _before(instant: float, since: OrderedDict[BoundedProtocol, float]) -> list[BoundedProtocol]:
    """Takes those out that have been there since before `instant`."""
    found = []
    while since and next(iter(since.values())) < instant:
        found.append(since.popitem(last=False)[0])
    return found

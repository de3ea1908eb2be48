"""`/livez`, `/readyz` and `/metrics` in front of a service's own application: the same three on every service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from nextwave_runtime.problem import Problem, response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
PROBES = frozenset({"/livez", "/readyz", "/metrics"})


class Probes:
    """An ASGI application that answers the probes and passes everything else on. `live` and `ready` give a fault or an empty text.

    While `starting` gives a text, the service has not begun yet, and everything else is a 503 with that text.
    """

    def __init__(self, app: App, *, live: Callable[[], str], ready: Callable[[], str], starting: Callable[[], str]) -> None:
        self._app = app
        self._starting = starting
        self._checks = {"/livez": live, "/readyz": ready}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif path in self._checks:
            fault = self._checks[path]()
            await _answer(send, 503 if fault else 200, (fault or "ok").encode(), b"text/plain")
        elif path == "/metrics":
            await _answer(send, 200, generate_latest(), CONTENT_TYPE_LATEST.encode())
        elif why := self._starting():
            problem = Problem(503, "unavailable", f"the service starts: it {why}; try again", retry_after_seconds=2)
            await response(problem)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _answer(send: Send, status: int, body: bytes, media_type: bytes) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

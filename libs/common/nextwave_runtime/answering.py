"""A request and its answer as uvicorn runs them, but an answer of known length goes to the wire in one piece, with a head made only once.

uvicorn (0.54) writes head and body apart, two system calls, and looks at every letter of every header again for each answer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

Headers = tuple[tuple[bytes, bytes], ...]
HEADS_KEPT = 256
_FRAMING = (b"connection", b"transfer-encoding")


class Exchange(RequestResponseCycle):
    """One of a connection. The beginning of a stream is sent at once, since its first part may be long in coming."""

    _held: tuple[Any, bytes, int] | None = None
    """The beginning of an answer whose body is still to come: the message, its head, and the length that it declares."""

    async def send(self, message: Any) -> None:
        """As uvicorn's, which has the last word on whatever is out of the ordinary."""
        held, self._held = self._held, None
        if held is None:
            if message["type"] == "http.response.start" and not self.response_started and self.scope["method"] != "HEAD":
                known = head(message["status"], tuple(map(tuple, message.get("headers", ()))), tuple(self.default_headers))
                self._held = None if known is None else (message, *known)
            if self._held is None:
                await super().send(message)
        elif not self._sends_whole(held[1], held[2], message):
            await super().send(held[0])
            await super().send(message)

    async def send_500_response(self) -> None:
        """Nothing has been sent of what was held, so the client is told."""
        self._held = None
        await super().send_500_response()

    def _sends_whole(self, beginning: bytes, length: int, message: Any) -> bool:
        body = message.get("body", b"")
        if len(body) != length or message.get("more_body", False) or message["type"] != "http.response.body":
            return False
        if self.flow.write_paused or self.disconnected or not self.keep_alive:
            return False
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.transport.write(beginning + body)
        self.message_event.set()
        self.on_response()
        return True


@lru_cache(maxsize=HEADS_KEPT)
def head(status: int, headers: Headers, beside: Headers) -> tuple[bytes, int] | None:
    """An answer's head, and its content's length; None where that is not said, or anything that uvicorn looks at or refuses is."""
    lines, length = [STATUS_LINE[status]], None
    for name, value in (*beside, *headers):
        if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value) or name.lower() in _FRAMING:
            return None
        if name.lower() == b"content-length":
            length = int(value)
        lines.append(name.lower() + b": " + value + b"\r\n")
    return None if length is None else (b"".join(lines) + b"\r\n", length)

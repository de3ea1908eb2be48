"""The limit of ingest: a service that keeps nothing, on the same server, loop and probes as every service.

`POST /null` reads the body and answers a constant. `POST /decode` also decodes the body, a batch of calls, in one go into typed calls
with their properties as dictionaries. Nothing is checked, encoded or made durable.
"""

from __future__ import annotations

from typing import Any

import msgspec
from nextwave_runtime.health import Receive, Scope, Send
from nextwave_runtime.service import Service, run
from nextwave_runtime.settings import ServiceSettings

ANSWER = b'{"success":true}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]


class Call(msgspec.Struct, rename="camel"):
    """A track call as it is decoded here."""

    type: str
    message_id: str
    user_id: str
    event: str
    timestamp: str
    properties: dict[str, Any]


class Batch(msgspec.Struct, rename="camel"):
    """A request's body."""

    batch: list[Call]
    sent_at: str | None = None


_decode = msgspec.json.Decoder(Batch).decode


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["path"] == "/decode":
        _decode(body)
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


def build(_settings: ServiceSettings) -> Service:
    """The service."""
    return Service(name="null", app=answer)


if __name__ == "__main__":
    run("null", ServiceSettings, build)

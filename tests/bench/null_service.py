"""The limit of ingest: a service that keeps nothing, on the same server, loop and probes as every service.

`POST /null` reads the body and answers a constant. `POST /append` also decodes the body, a batch of calls, in one go into typed calls
with their properties as dictionaries, and appends a record of a call's size for each of them to a batch of aiokafka, which is thrown away.
Nothing is checked, encoded as JSON or made durable.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aiokafka.producer.message_accumulator import BatchBuilder
from nextwave_runtime.health import Receive, Scope, Send
from nextwave_runtime.service import Service, run
from nextwave_runtime.settings import ServiceSettings

ANSWER = b'{"success":true}'
BATCH_BYTES = 262_144
"""Of one batch to Kafka, as at ingest."""
_RECORD_HEADERS = [("content-type", b"application/json")]
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


def append(body: bytes) -> None:
    """What each event costs at least: its part of decoding the body, and its place in a batch, as `create_batch` makes them."""
    calls = _decode(body).batch
    value = body[: len(body) // len(calls)]
    batch = BatchBuilder(BATCH_BYTES, 0, is_transactional=False)
    for call in calls:
        batch.append(timestamp=None, key=call.user_id.encode(), value=value, headers=_RECORD_HEADERS)


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["path"] == "/append":
        append(body)
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


def build(_settings: ServiceSettings) -> Service:
    """The service."""
    return Service(name="null", app=answer)


if __name__ == "__main__":
    run("null", ServiceSettings, build)

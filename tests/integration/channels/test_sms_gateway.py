"""The plain HTTP gateway for texts against a real server, and what every HTTP adapter knows after an answer that does not end."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from channel_contacts import a_contact
from nextwave_channels import http_port
from nextwave_channels.adapters.sms_gateway import Gateway, SmsGateway
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.http_port import Http
from nextwave_contracts.actions import Content

SMS = a_contact(channel="sms", address="+14155550100", content=Content(text="Hi & bye"))
CHECK = "check the provider's URL and credentials"


@dataclass
class Server:
    """Answers each request with these bytes, and then with the rest as long as somebody reads; keeps what it got."""

    answer: bytes
    endless: bytes = b""
    requests: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
        self.requests.append(head + await reader.readexactly(length))
        writer.write(self.answer)
        while self.endless and not writer.is_closing():
            writer.write(self.endless)
            await asyncio.sleep(0.05)
        writer.close()


@asynccontextmanager
async def served(server: Server) -> AsyncIterator[SmsGateway]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    adapter = SmsGateway(Http(answer_seconds=0.5), gateway(port))
    try:
        yield adapter
    finally:
        await adapter.close()
        listening.close()


def gateway(port: int) -> Gateway:
    url = f"http://127.0.0.1:{port}/messages?v=2"
    return Gateway(url=url, header="X-Api-Key", secret="k1", sender="+1999", callbacks_url="https://channels.example/v1/callbacks/generic")


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def test_a_text_is_posted_with_its_key_and_comes_back_with_its_id() -> None:
    server = Server(http("202 Accepted", b'{"id":"msg_1","status":"queued"}'))
    async with served(server) as adapter:
        assert await adapter.send(SMS) == Accepted(provider_id="msg_1")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /messages?v=2 HTTP/1.1\r\n")
    assert {b"idempotency-key: action-1", b"x-api-key: k1", b"content-type: application/json"} <= {
        line.lower() for line in head.splitlines()[1:]
    }
    assert json.loads(body) == {
        "to": "+14155550100",
        "from": "+1999",
        "text": "Hi & bye",
        "reference": "action-1",
        "callback_url": "https://channels.example/v1/callbacks/generic",
    }


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (
            http("422 No", b'{"error":{"code":"invalid_recipient","message":"nobody has this number"}}'),
            Refused(detail="422 invalid_recipient nobody has this number", permanent=True),
        ),
        (http("400 No", b'{"code":17,"message":"bad"}'), Refused(detail="400 17 bad", permanent=True)),
        (http("400 No", b'{"error":"no such sender"}'), Refused(detail="400 no such sender", permanent=True)),
        (http("401 No", b'{"error":"who?"}'), Refused(detail=f"401 who?; {CHECK}", permanent=False, down=True)),
        (http("403 No", b""), Refused(detail=f"403; {CHECK}", permanent=False, down=True)),
        (http("202 Accepted", b'{"id":123,"status":null}'), Accepted(provider_id="123")),
        (http("202 Accepted", b'{"id":' + b"[" * 30_000), Accepted()),
        (http("302 Moved", b"", "location: http://127.0.0.1:1/"), Refused(detail="302", permanent=True)),
        (http("429 Slow", b"", "retry-after: 7"), Refused(detail="429", permanent=False, retry_after_seconds=7.0)),
        (http("503 Away", b"<html>"), Refused(detail="503", permanent=False, down=True)),
        (http("500 Oops", b"{"), Uncertain(detail="500")),
        (b"", Uncertain(detail="no answer: RemoteProtocolError")),
        (b"garbage\r\n\r\n", Uncertain(detail="no answer: RemoteProtocolError")),
        (http("202 Accepted", b'["no object"]'), Accepted()),
    ],
)
async def test_each_answer_means_what_it_means_at_other_providers(answer: bytes, meant: Answer) -> None:
    async with served(Server(answer)) as adapter:
        assert await adapter.send(SMS) == meant


async def test_no_encoded_answer_is_asked_for_or_unpacked_however_large_it_would_grow() -> None:
    grown = b'{"id":"' + b"x" * 50_000_000 + b'"}'
    server = Server(http("202 Accepted", gzip.compress(grown), "content-encoding: gzip"))
    async with served(server) as adapter:
        tracemalloc.start()
        answer = await adapter.send(SMS)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert answer == Accepted()
    assert b"accept-encoding: identity" in server.requests[0].lower()
    assert peak_bytes < 2_000_000


async def test_a_gateway_that_cannot_be_reached_has_surely_not_sent() -> None:
    adapter = SmsGateway(Http(), gateway(1))
    assert await adapter.send(SMS) == Refused(detail="not reached: ConnectError", permanent=False, down=True)
    await adapter.close()


async def test_a_status_that_came_counts_however_long_its_body_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_port, "BODY_SECONDS", 0.3)
    server = Server(b"HTTP/1.1 202 Accepted\r\ncontent-length: 60000\r\n\r\n", endless=b" ")
    async with served(server) as adapter:
        assert await adapter.send(SMS) == Accepted()

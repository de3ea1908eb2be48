"""How an answer comes to the wire: in one piece where its length is known, and whatever is wrong with it is still found out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nextwave_runtime.bounded_http import Crowd
from nextwave_runtime.health import App, Receive, Scope, Send
from unit.runtime.wires import GET, Loop, Wire, connect

PLAIN = [(b"Content-Type", b"text/plain"), (b"Content-Length", b"5")]


def start(headers: list[tuple[bytes, bytes]], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(content: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


def saying(*messages: dict[str, Any], pause_seconds: float = 0.0) -> App:
    """An application that answers with these messages."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
            await asyncio.sleep(pause_seconds)

    return app


async def asked(app: App, request: bytes = GET) -> Wire:
    connection, wire = connect(Crowd(10), Loop(), app)
    connection.data_received(request)
    await asyncio.sleep(0.02)
    return wire


async def test_an_answer_of_known_length_is_written_at_once_and_the_connection_is_kept() -> None:
    wire = await asked(saying(start(PLAIN), body(b"hello")), GET * 3)
    assert wire.sent == b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello" * 3
    assert (wire.writes, wire.ended) == (3, "")


async def test_the_beginning_of_a_stream_does_not_wait_for_its_first_part() -> None:
    wire = await asked(saying(start([(b"content-type", b"text/event-stream")]), body(b"a", more=True), pause_seconds=3600))
    assert wire.sent.endswith(b"transfer-encoding: chunked\r\n\r\n")


async def test_an_answer_in_parts_comes_whole() -> None:
    wire = await asked(saying(start(PLAIN), body(b"he", more=True), body(b"llo")))
    assert wire.sent.endswith(b"content-length: 5\r\n\r\nhello")


async def test_an_application_that_fails_before_its_content_is_there_is_a_500() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(start(PLAIN))
        raise ValueError

    wire = await asked(app)
    assert wire.sent.startswith(b"HTTP/1.1 500 ")
    assert b"200 OK" not in wire.sent


@pytest.mark.parametrize("content", [b"hell", b"hello there"])
async def test_content_of_another_length_than_was_said_ends_the_connection(content: bytes) -> None:
    assert (await asked(saying(start(PLAIN), body(content)))).ended == "closed"


@pytest.mark.parametrize(
    "wrong", [(b"location", b"/\r\nset-cookie: a=b"), (b"location\r\nset-cookie", b"a=b"), (b"a b", b"c"), (b"x", b"\x00")]
)
async def test_no_header_begins_another(wrong: tuple[bytes, bytes]) -> None:
    wire = await asked(saying(start([*PLAIN, wrong]), body(b"hello")))
    assert b"set-cookie" not in wire.sent
    assert b"200 OK" not in wire.sent


@pytest.mark.parametrize("request_", [GET.replace(b"HTTP/1.1", b"HTTP/1.0"), GET.replace(b"Host", b"Connection: close\r\nHost")])
async def test_a_client_that_asks_for_one_answer_gets_one_and_the_end(request_: bytes) -> None:
    wire = await asked(saying(start(PLAIN), body(b"hello")), request_)
    assert (b"connection: close\r\n" in wire.sent, wire.sent.endswith(b"hello"), wire.ended) == (True, True, "closed")


async def test_an_application_may_end_the_connection_with_its_answer() -> None:
    wire = await asked(saying(start([*PLAIN, (b"connection", b"close")]), body(b"hello")))
    assert (wire.sent.endswith(b"hello"), wire.ended) == (True, "closed")


async def test_who_asks_for_the_head_alone_gets_no_content() -> None:
    wire = await asked(saying(start(PLAIN), body(b"hello")), GET.replace(b"GET", b"HEAD"))
    assert wire.sent.endswith(b"content-length: 5\r\n\r\n")

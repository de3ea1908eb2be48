"""Who must leave a server: whoever owes a request or does not take an answer for too long, and the slowest where there is no room."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nextwave_runtime.bounded_http import HEAD_SECONDS, STALL_SECONDS, BoundedProtocol, Crowd
from nextwave_runtime.health import Receive, Scope, Send
from unit.runtime import wires
from unit.runtime.wires import GET, Loop, Wire


async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def later(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(0.01)
    await answer(scope, receive, send)


def connect(crowd: Crowd, loop: Loop, app: Any = answer) -> tuple[BoundedProtocol, Wire]:
    return wires.connect(crowd, loop, app)


@pytest.mark.parametrize(
    ("begun", "told"), [(b"", b""), (b"GET /", b"HTTP/1.1 408 "), (GET, b"HTTP/1.1 204 "), (GET + b"GET /", b"HTTP/1.1 204 ")]
)
async def test_a_connection_owes_a_request_for_so_long_and_no_longer(begun: bytes, told: bytes) -> None:
    crowd, loop = Crowd(10), Loop()
    connection, wire = connect(crowd, loop)
    if begun:
        connection.data_received(begun)
    await asyncio.sleep(0.01)
    crowd.sweep(loop.now + HEAD_SECONDS)
    assert wire.ended == ""
    crowd.sweep(loop.now + HEAD_SECONDS + 0.1)
    assert (wire.ended, wire.sent.startswith(told)) == ("closed", True)
    assert wire.sent.count(b"HTTP/1.1 408 ") == (begun.endswith(b"GET /"))


async def test_a_request_that_takes_its_time_is_left_alone() -> None:
    crowd, loop = Crowd(10), Loop()
    connection, wire = connect(crowd, loop, later)
    connection.data_received(GET)
    crowd.sweep(loop.now + 10 * HEAD_SECONDS)
    assert wire.ended == ""
    await asyncio.sleep(0.05)
    assert wire.sent.startswith(b"HTTP/1.1 204 ")


async def test_an_answer_that_is_not_taken_ends_its_connection() -> None:
    crowd, loop = Crowd(10), Loop()
    (slow, wire), (well, other) = connect(crowd, loop, later), connect(crowd, loop, later)
    for one in (slow, well):
        one.data_received(GET)
        one.pause_writing()
    well.resume_writing()
    crowd.sweep(loop.now + STALL_SECONDS + 0.1)
    assert (wire.ended, other.ended) == ("aborted", "")
    slow.resume_writing()  # as its end does
    await asyncio.sleep(0.05)


async def test_an_answer_that_lies_before_the_wire_does_not_keep_a_connection() -> None:
    crowd, loop = Crowd(10), Loop()
    connection, wire = connect(crowd, loop)
    connection.data_received(GET)
    await asyncio.sleep(0.01)
    wire.waiting = 5
    crowd.sweep(loop.now + HEAD_SECONDS + 0.1)
    assert wire.ended == "aborted"


async def test_where_there_is_no_room_the_one_who_waited_longest_gives_way() -> None:
    crowd, loop = Crowd(2), Loop()
    (first, first_wire), (_, second_wire) = connect(crowd, loop), connect(crowd, loop)
    loop.now += 1
    first.data_received(GET)
    await asyncio.sleep(0.01)  # answered, so that it has waited for a shorter time than the second
    _, third_wire = connect(crowd, loop)
    assert [wire.ended for wire in (first_wire, second_wire, third_wire)] == ["", "closed", ""]


async def test_any_number_of_offers_to_upgrade_that_come_at_once_is_answered() -> None:
    connection, wire = connect(Crowd(10), Loop())
    offer = b"POST / HTTP/1.1\r\nHost: i\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}"
    connection.data_received(offer * 600)
    await asyncio.sleep(0.01)
    while not wire.ended and wire.sent.count(b"HTTP/1.1 204 ") < 600:  # noqa: ASYNC110  (the wire tells nobody)
        await asyncio.sleep(0.01)
    assert (wire.ended, wire.sent.count(b"HTTP/1.1 204 ")) == ("", 600)

"""The service as it runs, and clients that mean it ill: whatever they send, it answers the others, and its memory is what it was."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import pytest
from nextwave_contracts.topics import TOPICS
from nextwave_ingest.admission import BATCH_BYTES_MAX
from nextwave_local.ports import free_port
from nextwave_runtime.bounded_http import HEAD_SECONDS, HEADERS_MAX
from stack import Stack
from unit.ingest.fakes import IDENTIFIER_KEY, LINK_KEY, write_keys

CONNECTIONS_MAX = 60
ARRIVING_BYTES_MAX = 1_000_000
GROWTH_BYTES_MAX = 24_000_000
"""What a process may keep of its work: the allocator gives freed memory back in large pieces only."""
EVENT = b'{"specversion":"1.0","id":"e","source":"/c","type":"page.viewed","subject":"customer_id:7"}'
HEAD = b"POST /v1/touchpoints HTTP/1.1\r\nHost: ingest\r\nX-Write-Key: wk_shop\r\nContent-Type: application/cloudevents+json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def whole(body: bytes, *, head: bytes = HEAD) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


@dataclass
class Door:
    """A running ingest."""

    port: int
    process: psutil.Process

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(self, *parts: bytes) -> tuple[int, dict[str, str], Any]:
        """Sends and reads one answer; status 0 where the connection ended without one."""
        with self.connect() as connection:
            with contextlib.suppress(OSError):  # a server may refuse before it has read everything
                for part in parts:
                    connection.sendall(part)
            return answer(connection)

    def is_well(self) -> bool:
        return self.ask(whole(EVENT))[0] == 202

    def memory(self) -> int:
        return int(self.process.memory_info().rss)


def answer(connection: socket.socket) -> tuple[int, dict[str, str], Any]:
    raw = b""
    with contextlib.suppress(OSError):
        while b"\r\n\r\n" not in raw or len(raw.partition(b"\r\n\r\n")[2]) < _length(raw):
            part = connection.recv(65536)
            if not part:
                break
            raw += part
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not head:
        return 0, {}, None
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, json.loads(body) if "json" in headers.get("content-type", "") else body


def _length(raw: bytes) -> int:
    lengths = [line.split(b":")[1] for line in raw.partition(b"\r\n\r\n")[0].lower().split(b"\r\n") if line.startswith(b"content-length")]
    return int(lengths[0]) if lengths else 0


@pytest.fixture(scope="module")
async def door(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    await stack.create_topics([topic.name for topic in TOPICS])
    folder, port = tmp_path_factory.mktemp("hostile"), free_port()
    settings = {
        "NEXTWAVE_KAFKA": stack.bootstrap,
        "NEXTWAVE_PORT": str(port),
        "NEXTWAVE_KEYS_FILE": str(write_keys(folder)),
        "NEXTWAVE_IDENTIFIER_KEY": IDENTIFIER_KEY,
        "NEXTWAVE_LINK_KEY": LINK_KEY,
        "NEXTWAVE_CONNECTIONS_MAX": str(CONNECTIONS_MAX),
        "NEXTWAVE_ARRIVING_BYTES_MAX": str(ARRIVING_BYTES_MAX),
    }
    with running(settings, folder / "ingest.log") as process:
        yield Door(port, psutil.Process(process.pid))


@contextlib.contextmanager
def running(settings: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as out:
        process = subprocess.Popen([sys.executable, "-m", "nextwave_ingest"], env=os.environ | settings, stdout=out, stderr=out)
    try:
        deadline = monotonic() + 60
        while not ready(int(settings["NEXTWAVE_PORT"])):
            assert process.poll() is None, log.read_text()[-2000:]
            assert monotonic() < deadline, log.read_text()[-2000:]
            sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: ingest\r\n\r\n")
            return answer(connection)[0] == 200
    except OSError:
        return False


BOMB = gzip.compress(b" " * 50_000_000)
ATTACKS: dict[str, tuple[int, str, list[bytes]]] = {
    "many headers": (431, "head-too-large", [HEAD, *[b"".join(b"a%d: b\r\n" % n for n in range(2000))] * 50]),
    "one header too many": (431, "head-too-large", [HEAD + b"a: b\r\n" * (HEADERS_MAX - 2) + b"\r\n"]),
    "a large header": (431, "head-too-large", [HEAD + b"a: ", *[b"y" * 100_000] * 200]),
    "a long target": (431, "head-too-large", [b"GET /", *[b"y" * 100_000] * 200]),
    "a head at once": (431, "head-too-large", [HEAD + b"a: " + b"y" * 20_000 + b"\r\n\r\n"]),
    "a large trailer": (413, "too-large", [CHUNKED + b"0\r\nx: ", *[b"y" * 100_000] * 200]),
    "many trailers": (413, "too-large", [CHUNKED + b"0\r\n", *[b"a: b\r\n" * 10_000] * 50]),
    "an extension of a chunk": (413, "too-large", [CHUNKED + b"1;x=", *[b"y" * 100_000] * 200]),
    "extensions of chunks": (413, "too-large", [CHUNKED, *[(b"1;" + b"x" * 1000 + b"\r\n \r\n") * 100] * 50]),
    "empty lines": (413, "too-large", [*[b"\r\n" * 50_000] * 50]),
    "a large body": (413, "too-large", [HEAD + b"Content-Length: 10000000\r\n\r\n"]),
    "a large body in chunks": (413, "too-large", [CHUNKED, *[b"186a0\r\n" + b" " * 100_000 + b"\r\n"] * 50]),
    "a gzip bomb": (413, "too-large", [whole(BOMB, head=HEAD + b"Content-Encoding: gzip\r\n")]),
    "a gzip that is none": (400, "malformed-gzip", [whole(b"\x1f\x8b" + b"x" * 99, head=HEAD + b"Content-Encoding: gzip\r\n")]),
    "a nesting bomb": (400, "invalid-item", [whole(b'{"data":' + b"[" * 15_000 + b"]" * 15_000 + b"}")]),
    "a nested batch": (400, "invalid-item", [whole(b"[" * 200_000, head=HEAD.replace(b"events+", b"events-batch+"))]),
    "no HTTP": (400, "malformed-http", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]),
    "HTTP/2": (400, "malformed-http", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]),
    "a tunnel": (400, "malformed-http", [b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n"]),
    "two lengths": (400, "malformed-http", [HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]),
    "a length that is none": (400, "malformed-http", [HEAD + b"Content-Length: -1\r\n\r\n"]),
    "a chunk that is none": (400, "malformed-http", [CHUNKED + b"zz\r\n"]),
    "a header with a null": (400, "malformed-http", [HEAD + b"a: \x00\r\n\r\n"]),
    "a folded header": (400, "malformed-http", [HEAD + b"a: b\r\n c: d\r\n\r\n"]),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_nobody_may_send_is_a_problem_and_others_are_answered(door: Door, attack: str) -> None:
    status, kind, parts = ATTACKS[attack]
    before = door.memory()
    seen, headers, document = door.ask(*parts)
    if seen or len(parts) == 1:  # a client that goes on sending may lose its answer to the end of the connection
        assert (seen, document["type"]) == (status, f"urn:nextwave:problem:{kind}")
        assert headers["content-type"] == "application/problem+json"
    assert door.is_well()
    assert door.memory() - before < GROWTH_BYTES_MAX


def test_a_wrong_request_takes_nothing_from_the_one_before_it(door: Door) -> None:
    for wrong in (b"\r\n" * 100_000, b"nothing\r\n\r\n", HEAD + b"a: " + b"y" * 40_000):
        status, _, document = door.ask(whole(EVENT) + wrong)
        assert status in (0, 202), document  # the client asks again, or knows that it is durable
    assert door.is_well()


def test_a_pipeline_is_answered_in_its_order(door: Door) -> None:
    pairs = b"GET /livez HTTP/1.1\r\nHost: i\r\n\r\n" + b"GET /v1/nothing HTTP/1.1\r\nHost: i\r\n\r\n"
    with door.connect() as connection:
        connection.sendall(pairs * 500 + whole(EVENT))
        raw = b""
        while raw.count(b"HTTP/1.1 ") < 1001:
            part = connection.recv(65536)
            assert part, "the connection ended too soon"
            raw += part
    statuses = [int(part[:3]) for part in raw.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 404] * 500 + [202]
    assert door.is_well()


@pytest.mark.parametrize("offer", [b"h2c", b"websocket"])
def test_a_client_that_offers_another_protocol_loses_no_body(door: Door, offer: bytes) -> None:
    head = HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nUpgrade: " + offer + b"\r\n"
    with door.connect() as connection:
        for part in (whole(EVENT, head=head), whole(EVENT), whole(EVENT, head=head)[:-10], EVENT[-10:]):
            connection.sendall(part)
            if part is not EVENT[-10:] and not part.endswith(EVENT[-10:]):
                continue
            assert answer(connection)[0] == 202


def heard(connection: socket.socket, dripping: bytes) -> bytes | None:
    """What came, nothing at the end of the connection; None while it lives and says nothing."""
    try:
        connection.sendall(dripping)
        return connection.recv(65536, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def test_slow_and_silent_clients_are_let_go(door: Door) -> None:
    """All at once, since each takes its time: a head by single bytes, nothing at all, a body that goes on after its answer."""
    slow, silent, endless = (door.connect() for _ in range(3))
    began = monotonic()
    slow.sendall(b"POST /v1/touch")
    endless.sendall(HEAD.replace(b"wk_shop", b"wk_nobody") + b"Content-Length: 400000\r\n\r\n")
    assert answer(endless)[0] == 401
    ended: dict[str, float] = {}
    while len(ended) < 3 and monotonic() - began < HEAD_SECONDS + 5:
        sleep(0.5)
        for name, connection in (("slow", slow), ("silent", silent), ("endless", endless)):
            if name in ended:
                continue
            told = heard(connection, b"" if name == "silent" else b"x")
            if told is None:
                continue
            ended[name] = monotonic() - began
            if name == "slow":
                assert told.startswith(b"HTTP/1.1 408 ") or not told
    assert sorted(ended) == ["endless", "silent", "slow"]
    assert min(ended.values()) > HEAD_SECONDS - 1
    assert door.is_well()


def test_idle_connections_make_room_for_those_who_ask(door: Door) -> None:
    idle = [door.connect() for _ in range(CONNECTIONS_MAX * 3)]
    try:
        assert [door.ask(whole(EVENT))[0] for _ in range(20)] == [202] * 20
        idle[0].settimeout(5)
        assert idle[0].recv(1) == b""  # the one that had waited for the longest time
    finally:
        for connection in idle:
            connection.close()
    assert door.is_well()


def test_more_requests_than_can_be_held_are_told_to_come_again(door: Door) -> None:
    begun = [door.connect() for _ in range(CONNECTIONS_MAX)]
    try:
        for connection in begun:
            connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        sleep(0.3)
        status, headers, document = door.ask(whole(EVENT))
        assert (status, headers["retry-after"], document["type"]) == (429, "1", "urn:nextwave:problem:overloaded")
        assert door.ask(b"GET /livez HTTP/1.1\r\nHost: i\r\n\r\n")[0] == 200
    finally:
        for connection in begun:
            connection.close()
    until_well(door)


def test_bodies_that_do_not_end_take_a_bounded_room_and_leave_small_requests_alone(door: Door) -> None:
    begun = [door.connect() for _ in range(8)]
    large = b"[" + b",".join([EVENT] * 1000) + b"]"
    batch = whole(large, head=HEAD.replace(b"events+", b"events-batch+"))
    assert len(large) < BATCH_BYTES_MAX
    try:
        for connection in begun:
            connection.sendall(HEAD + b"Content-Length: 400000\r\n\r\n" + b" " * 124_000)
        (status, headers, document) = asked_until(door, batch, 429)
        assert (status, headers["retry-after"], document["type"]) == (429, "1", "urn:nextwave:problem:overloaded")
        assert door.is_well()
    finally:
        for connection in begun:
            connection.close()
    assert asked_until(door, batch, 202)[0] == 202


def asked_until(door: Door, batch: bytes, wanted: int) -> tuple[int, dict[str, str], Any]:
    """Sends it in two parts until it gets the answer: the server may see both as one, or not yet what was sent before."""
    deadline = monotonic() + 10
    while True:
        with door.connect() as connection:
            connection.sendall(batch[:5000])
            sleep(0.3)
            connection.sendall(batch[5000:])
            told = answer(connection)
        if told[0] == wanted or monotonic() > deadline:
            return told


def until_well(door: Door) -> None:
    deadline = monotonic() + 10
    while not door.is_well():
        assert monotonic() < deadline, "nobody is answered any more"
        sleep(0.1)

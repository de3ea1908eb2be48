"""The proxy's modes, proven on real sockets against the real program."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import psutil
import pytest
from nextwave_local.ports import free_port, free_ports

from faults.means.passage import CHUNK_BYTES, HELD_BYTES_MAX
from faults.means.proxy import TESTS, Proxies, ProxyError

HELD_OFF_SECONDS = 0.3
"""Long enough for loopback to deliver what is not held."""
BIG = bytes(range(256)) * 4096 * 32


@dataclass
class Target:
    """A server that answers each chunk with `>` and the chunk, after `reads` is set, and keeps what arrived and how often."""

    arrived: bytearray = field(default_factory=bytearray)
    connections: int = 0
    resets: int = 0
    reads: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self.reads.wait()
            while data := await reader.read(65_536):
                self.arrived += data
                if len(data) < 100:
                    writer.write(b">" + data)
        except ConnectionResetError:
            self.resets += 1
        writer.close()


@dataclass(frozen=True)
class Line:
    """The proxy, the target behind its route `line`, and the port to reach it."""

    proxies: Proxies
    target: Target
    server: asyncio.Server
    port: int

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def told(self, mode: str, text: bytes = b"hello") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection over which something went both ways, and then the mode."""
        reader, writer = await self.connect()
        writer.write(b"first")
        assert await reader.readexactly(6) == b">first"
        self.target.arrived.clear()
        await self.proxies.set(["line"], mode)  # type: ignore[arg-type]
        writer.write(text)
        return reader, writer


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    port, target = free_ports(2)
    behind = Target()
    behind.reads.set()
    proxies = Proxies()
    async with await asyncio.start_server(behind.serve, "127.0.0.1", target) as server:
        await proxies.start({"line": (port, target)})
        try:
            yield Line(proxies, behind, server, port)
        finally:
            await proxies.close()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110  (what is awaited happens in other processes)
            await asyncio.sleep(0.01)


async def arrived(line: Line, size: int) -> bool:
    return len(line.target.arrived) == size


async def closed(line: Line) -> bool:
    return (await line.proxies.look())["line"].connections == 0


async def holding(line: Line, size: int) -> bool:
    return (await line.proxies.look())["line"].held_bytes == size


async def answered(line: Line) -> bytes:
    reader, _ = await line.connect()
    async with asyncio.timeout(5):
        return await reader.read(1)


async def nothing_more(reader: asyncio.StreamReader) -> bool:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(HELD_OFF_SECONDS):
            await reader.read(1)
    return True


async def test_a_passing_route_carries_both_directions_and_the_end_of_each(line: Line) -> None:
    reader, writer = await line.connect()
    writer.write(b"all of it")
    writer.write_eof()
    assert await reader.read() == b">all of it"
    await until(lambda: closed(line))


async def test_a_cut_resets_what_is_open_and_what_is_new_until_it_heals(line: Line) -> None:
    reader, _ = await line.told("cut", b"")
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    with pytest.raises(ConnectionResetError):
        await answered(line)
    assert (await line.proxies.set(["line"], "pass"))["line"].connections == 0
    assert line.target.connections == 1
    healed, writer = await line.connect()
    writer.write(b"again")
    assert await healed.readexactly(6) == b">again"
    assert line.target.resets == 1


async def test_a_blackhole_keeps_connections_open_and_what_was_sent_arrives_after_healing(line: Line) -> None:
    reader, writer = await line.told("blackhole", b"late ")
    fresh, other = await line.connect()
    other.write(b"new")
    assert await nothing_more(reader)
    assert (bytes(line.target.arrived), line.target.connections) == (b"", 1)
    writer.write(b"words")
    await line.proxies.set(["line"], "pass")
    assert await reader.readexactly(11) == b">late words"
    assert await fresh.readexactly(4) == b">new"


async def test_what_a_blackhole_holds_back_can_be_dropped_by_a_cut(line: Line) -> None:
    reader, _ = await line.told("blackhole")
    await line.proxies.set(["line"], "cut")
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    await line.proxies.set(["line"], "pass")
    assert line.target.arrived == b""


async def test_the_end_of_a_connection_does_not_cross_a_blackhole(line: Line) -> None:
    _, writer = await line.told("blackhole")
    writer.close()
    await asyncio.sleep(HELD_OFF_SECONDS)
    assert not await closed(line)
    await line.proxies.set(["line"], "pass")
    await until(lambda: closed(line))
    assert line.target.arrived == b"hello"


async def test_a_blackhole_takes_no_memory_and_loses_no_byte_of_what_is_pressed_into_it(line: Line) -> None:
    _, writer = await line.told("blackhole", b"")
    before = psutil.Process(line.proxies.pid).memory_info().rss
    writer.write(BIG)
    await asyncio.sleep(HELD_OFF_SECONDS)
    traffic = (await line.proxies.look())["line"]
    assert traffic.held_bytes == 0
    assert psutil.Process(line.proxies.pid).memory_info().rss - before < 1_000_000
    await line.proxies.set(["line"], "pass")
    await until(lambda: arrived(line, len(BIG)))
    assert line.target.arrived == BIG


async def test_a_target_that_does_not_read_holds_its_client_up_and_not_the_proxy_s_memory(line: Line) -> None:
    line.target.reads.clear()
    _, writer = await line.connect()
    writer.write(BIG)
    await asyncio.sleep(HELD_OFF_SECONDS)
    traffic = (await line.proxies.set(["line"], "slow", milliseconds=5))["line"]
    assert 0 < traffic.held_bytes <= HELD_BYTES_MAX + CHUNK_BYTES
    line.target.reads.set()
    await until(lambda: arrived(line, len(BIG)))
    assert line.target.arrived == BIG


async def test_slow_delays_each_way_and_keeps_the_order_whatever_the_jitter(line: Line) -> None:
    reader, writer = await line.told("pass", b"")
    await line.proxies.set(["line"], "slow", milliseconds=60, jitter=40, seed=7)
    began = time.monotonic()
    sent = b"".join(b"%03d " % n for n in range(50))
    for n in range(50):
        writer.write(sent[4 * n : 4 * n + 4])
        await asyncio.sleep(0.005)
    await until(lambda: arrived(line, len(sent)))
    assert line.target.arrived == sent
    assert time.monotonic() - began < 50 * 0.06
    await reader.readexactly(len(sent))


async def test_one_chunk_needs_the_delay_there_and_the_delay_back(line: Line) -> None:
    reader, writer = await line.told("pass", b"")
    await line.proxies.set(["line"], "slow", milliseconds=100)
    began = time.monotonic()
    writer.write(b"x")
    await until(lambda: arrived(line, 1))
    there = time.monotonic() - began
    await reader.readexactly(2)
    assert 0.09 < there < 0.19 < time.monotonic() - began < 0.5


async def test_slow_does_not_throttle(line: Line) -> None:
    _, writer = await line.told("pass", b"")
    await line.proxies.set(["line"], "slow", milliseconds=20)
    began = time.monotonic()
    writer.write(BIG)
    await until(lambda: arrived(line, len(BIG)))
    assert line.target.arrived == BIG
    assert time.monotonic() - began < len(BIG) / CHUNK_BYTES * 0.02 / 2


async def test_what_was_slowed_leaves_at_once_when_it_heals_and_not_at_all_into_a_blackhole(line: Line) -> None:
    reader, writer = await line.told("pass", b"")
    await line.proxies.set(["line"], "slow", milliseconds=200)
    writer.write(b"on its way")
    await until(lambda: holding(line, 10))
    await line.proxies.set(["line"], "blackhole")
    await asyncio.sleep(HELD_OFF_SECONDS)
    assert line.target.arrived == b""
    await line.proxies.set(["line"], "slow", milliseconds=60_000)
    writer.write(b", and more")
    await until(lambda: holding(line, len(b", and more" + b">on its way")))
    await line.proxies.set(["line"], "pass")
    assert await reader.readexactly(22) == b">on its way>, and more"


async def test_half_a_line_brings_requests_there_and_no_answers_back(line: Line) -> None:
    reader, _ = await line.told("half")
    fresh, other = await line.connect()
    other.write(b" new")
    await until(lambda: arrived(line, 9))
    assert await nothing_more(reader)
    await line.proxies.set(["line"], "pass")
    assert await reader.readexactly(6) == b">hello"
    assert await fresh.readexactly(5) == b"> new"


async def test_a_target_that_is_away_looks_like_a_reset(line: Line) -> None:
    line.server.close()
    await line.server.wait_closed()
    with pytest.raises(ConnectionResetError):
        await answered(line)


async def test_modes_are_per_route_and_a_name_that_is_none_changes_nothing(line: Line) -> None:
    with pytest.raises(ProxyError, match="elsewhere"):
        await line.proxies.set(["line", "elsewhere"], "cut")
    assert (await line.proxies.look())["line"].mode == "pass"


async def test_a_taken_port_is_told_and_leaves_no_program_behind() -> None:
    proxies = Proxies()
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ProxyError, match="in use"):
        await proxies.start({"line": (taken.getsockname()[1], 1)})
    with pytest.raises(ProxyError, match="not started"):
        assert proxies.pid


HARNESS = """
import asyncio, sys
from faults.means.proxy import Proxies
async def main():
    proxies = Proxies()
    await proxies.start({"line": (int(sys.argv[1]), 1)})
    print(proxies.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_the_program_does_not_outlive_a_harness_that_is_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    harness = await asyncio.create_subprocess_exec(sys.executable, "-c", HARNESS, str(free_port()), stdout=PIPE, env=environment)
    assert harness.stdout is not None
    program = psutil.Process(int(await harness.stdout.readline()))
    harness.kill()
    await harness.wait()
    await until(lambda: gone(program))


async def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

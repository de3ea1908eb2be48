"""What a full disk does to a process tree, the real PostgreSQL and the real Kafka; nothing that was acknowledged is missing afterwards."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from asyncio import to_thread
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import psutil
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from nextwave_local import kafka_server, postgres_server
from nextwave_local.keeper import Keeper
from nextwave_local.ports import free_port
from stack import create_topics, read_all

from faults.means import disk

PRESS_SECONDS = 0.2
PAUSE_SECONDS = 0.05
PRESSING_SECONDS = 2.0
START_SECONDS = 90.0
"""What a server may need to start again on a busy machine."""

APPENDS = """
import os, sys
def append():
    try:
        with open(sys.argv[1], "a") as file:
            file.write("line\\n")
    except OSError as failed:
        return failed.strerror
    return "written"
for line in sys.stdin:
    print(append(), flush=True)
    if not os.fork():
        print(append(), flush=True)
        os._exit(0)
    os.wait()
"""


@dataclass
class Tree:
    """A shell whose child appends to a file, itself and by a child of its own, whenever it is asked."""

    shell: subprocess.Popen[str]

    def append(self) -> tuple[str, str]:
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.shell.stdin.write("\n")
        self.shell.stdin.flush()
        return self.shell.stdout.readline().strip(), self.shell.stdout.readline().strip()


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    script = 'exec 3<&0; "$@" <&3 & wait'
    arguments = ["sh", "-c", script, "sh", sys.executable, "-c", APPENDS, str(tmp_path / "file")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
        yield Tree(shell)
        assert shell.stdin is not None
        shell.stdin.close()


def test_children_there_are_and_children_to_come_cannot_write_until_it_heals(tree: Tree) -> None:
    assert tree.append() == ("written", "written")
    disk.full(tree.shell.pid)
    assert tree.append() == ("File too large", "File too large")
    disk.full(tree.shell.pid)
    disk.heal(tree.shell.pid)
    assert tree.append() == ("written", "written")


def test_a_file_may_grow_up_to_the_limit_and_no_further(tree: Tree) -> None:
    disk.full(tree.shell.pid, bytes_max=len("line\n" * 3))
    assert [*tree.append(), *tree.append()] == ["written", "written", "written", "File too large"]


def test_a_process_that_has_ended_is_let_be() -> None:
    with subprocess.Popen(["true"]) as ended:
        while psutil.Process(ended.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(PAUSE_SECONDS)
        disk.full(ended.pid)
    disk.full(ended.pid)
    disk.heal(ended.pid)


@dataclass
class Writer:
    """Writes numbers one after the other with `write`, which raises one of `refusals` when it is not acknowledged."""

    write: Callable[[int], Awaitable[None]]
    refusals: tuple[type[Exception], ...]
    acknowledged: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def run(self) -> None:
        number = 0
        while True:
            number += 1
            try:
                await self.write(number)
            except self.refusals as refusal:
                self.refused.append(f"{type(refusal).__name__}: {refusal}")
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                self.acknowledged.append(number)

    async def more(self, count: int) -> None:
        """Waits until so many more are acknowledged."""
        wanted = len(self.acknowledged) + count
        await until(lambda: len(self.acknowledged) >= wanted)


async def until(holds: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  (what is awaited happens in other processes)
            await asyncio.sleep(PAUSE_SECONDS)


@contextmanager
def kept(keeper: Keeper) -> Iterator[Keeper]:
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.stop()
        keeper.join()


@asynccontextmanager
async def writing(writer: Writer) -> AsyncIterator[Writer]:
    task = asyncio.create_task(writer.run())
    try:
        await writer.more(20)
        yield writer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def press(keeper: Keeper, seconds: float) -> None:
    """A full disk for a while, also for what is started anew meanwhile."""
    pids = set()
    for _ in range(int(seconds / PRESS_SECONDS)):
        assert keeper.handle is not None
        pids.add(keeper.handle.pid)
        await to_thread(disk.full, keeper.handle.pid)
        await asyncio.sleep(PRESS_SECONDS)
    for pid in pids:
        await to_thread(disk.heal, pid)


@dataclass
class Postgres:
    """The real server as the supervisor keeps it, and one table."""

    keeper: Keeper
    dsn: str
    wide: str
    connection: asyncpg.Connection | None = None

    async def write(self, number: int) -> None:
        if self.connection is None or self.connection.is_closed():
            self.connection = await asyncpg.connect(self.dsn, timeout=2)
        await self.connection.execute("insert into written values ($1, $2)", number, self.wide)

    async def numbers(self) -> set[int]:
        connection = await asyncpg.connect(self.dsn)
        try:
            return {row["number"] for row in await connection.fetch("select number from written")}
        finally:
            await connection.close()


REFUSALS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@asynccontextmanager
async def postgres(folder: Path, wide: str) -> AsyncIterator[Postgres]:
    port = free_port()
    keeper = Keeper("postgres", lambda: postgres_server.start(folder, port, databases=()), lambda: None)
    with kept(keeper):
        await until(lambda: keeper.handle is not None)
        assert isinstance(keeper.handle, postgres_server.PostgresServer)
        one = Postgres(keeper, keeper.handle.admin_dsn, wide)
        connection = await asyncpg.connect(one.dsn)
        await connection.execute("create table written (number bigint, pad text storage plain)")
        await connection.close()
        try:
            yield one
        finally:
            if one.connection is not None:
                one.connection.terminate()


async def test_postgresql_ends_when_nothing_can_be_written_and_has_everything_again_after_healing(tmp_path: Path) -> None:
    async with postgres(tmp_path, "narrow") as server:
        async with writing(Writer(server.write, REFUSALS)) as writer:
            await press(server.keeper, PRESSING_SECONDS)
            assert server.keeper.restarts > 0
            assert writer.refused
            await writer.more(20)
        assert set(writer.acknowledged) <= await server.numbers()


async def test_postgresql_goes_on_and_refuses_rows_while_only_its_tables_cannot_grow(tmp_path: Path) -> None:
    async with postgres(tmp_path, "x" * 7_000) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("insert into written select -n, repeat('x', 7000) from generate_series(1, 2000) n")
        await connection.close()
        async with writing(Writer(server.write, REFUSALS)) as writer:
            assert server.keeper.handle is not None
            await to_thread(disk.full, server.keeper.handle.pid, disk.WAL_SEGMENT_BYTES)
            await until(lambda: any("could not extend file" in text for text in writer.refused))
            await to_thread(disk.heal, server.keeper.handle.pid)
            await writer.more(20)
        assert server.keeper.restarts == 0
        assert set(writer.acknowledged) <= await server.numbers()


async def test_kafka_ends_when_nothing_can_be_written_and_has_everything_again_after_healing(tmp_path: Path) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    with kept(Keeper("kafka", lambda: kafka_server.start(tmp_path, port), lambda: None)) as keeper:
        await until(lambda: keeper.handle is not None)
        await create_topics(address, ["written"], 1)
        producer = Producer({"bootstrap.servers": address, "acks": "all", "message.timeout.ms": 3_000, "linger.ms": 0, "log_level": 0})
        async with writing(Writer(lambda number: to_thread(send, producer, number), (KafkaException,))) as writer:
            await press(keeper, PRESSING_SECONDS)
            await until(lambda: keeper.restarts > 0)
            await writer.more(20)
        records = await to_thread(read_all, address, "written", 1)
        assert set(writer.acknowledged) <= {int(record.value) for record in records}


def send(producer: Producer, number: int) -> None:
    """Returns when the broker has acknowledged it. Raises `KafkaException`."""
    refused: list[KafkaError] = []
    producer.produce("written", b"%d" % number, key=b"key", on_delivery=lambda error, _: refused.append(error) if error else None)
    producer.flush()
    if refused:
        raise KafkaException(refused[0])

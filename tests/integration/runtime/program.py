"""Starts, kills and watches the relay program, and posts to it as a door would."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from integration.runtime.relay_program import TABLES
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import OUTCOMES, REJECTED, TOPICS, TOUCHPOINTS, partition_of
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import decode, encode
from nextwave_local.ports import free_ports
from stack import PARTITIONS, Stack, ends

_BEGIN = "insert into progress (processor, topic, partition, next_offset) values ($1, $2, $3, $4)"
"""Each test begins where the tests before it have stopped writing."""
TESTS = Path(__file__).parents[2]


@dataclass
class Program:
    """One database and fresh topics' worth of relay processes. Topics are shared by the session, so customers are named per test."""

    stack: Stack
    dsn: str
    tally_dsn: str
    run: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    async def create(cls, stack: Stack) -> Program:
        """Fresh databases with the processors' tables, one for each as in production."""
        await stack.create_topics([t.name for t in TOPICS])
        databases = [await stack.create_database(part) for part in ("relay", "tally")]
        for dsn, (part, topic) in zip(databases, (("relay", TOUCHPOINTS), ("tally", OUTCOMES)), strict=True):
            connection = await asyncpg.connect(dsn)
            for statement in TABLES:
                await connection.execute(statement)
            begin = [(part, topic.name, n, end) for n, end in enumerate(ends(stack.bootstrap, topic.name))]
            await connection.executemany(_BEGIN, begin)
            await connection.close()
        return cls(stack, databases[0], databases[1], f"r{int(time.time() * 1000) % 10**9}")

    def start(self, replica: str, **environment: str) -> None:
        """Starts a replica."""
        folder = self.stack.folder
        keys = folder / "keys.json"
        keys.write_text('{"pepper": "p", "keys": []}')
        settings = {
            "NEXTWAVE_KAFKA": self.stack.bootstrap,
            "NEXTWAVE_POSTGRES": self.dsn,
            "RELAY_TALLY_POSTGRES": self.tally_dsn,
            "NEXTWAVE_PORT": str(free_ports(1)[0]),
            "NEXTWAVE_REPLICA": replica,
            "NEXTWAVE_KEYS_FILE": str(keys),
            "NEXTWAVE_IDENTIFIER_KEY": "x" * 32,
            "NEXTWAVE_LOG_LEVEL": "info",
            **environment,
        }
        log = (folder / f"{self.run}-{replica}.log").open("ab")
        self.processes[replica] = subprocess.Popen(
            [sys.executable, "-m", "integration.runtime.relay_program"], cwd=TESTS, env={**os.environ, **settings}, stdout=log, stderr=log
        )

    def kill(self, replica: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Sends a signal and waits for the end; the exit code."""
        process = self.processes.pop(replica)
        process.send_signal(number)
        return process.wait(30)

    def close(self) -> None:
        """Ends whatever runs."""
        for replica in list(self.processes):
            self.kill(replica)

    async def post(self, numbers: range, *, customers: int = 7, repeat: int = 1, kind: str = "page.viewed", start: int = 0) -> None:
        """Touchpoints numbered within the whole test, spread over customers, each sent `repeat` times."""
        producer = AIOKafkaProducer(bootstrap_servers=self.stack.bootstrap, acks="all", enable_idempotence=True)
        await producer.start()
        try:
            for n in [n for n in numbers for _ in range(repeat)]:
                name = f"customer_id:{self.run}-{n % customers}"
                now = datetime.now(UTC)
                touchpoint = Touchpoint(
                    id=f"{self.run}-{start + n}",
                    source="test",
                    type=kind,
                    identifiers=(name,),
                    occurred_at=now,
                    received_at=now,
                    data={"number": n},
                )
                partition = partition_of(name.encode(), PARTITIONS)
                await producer.send(TOUCHPOINTS.name, encode(touchpoint), key=name.encode(), partition=partition)
            await producer.flush()
        finally:
            await producer.stop()

    async def tally(self) -> dict[str, list[int]]:
        """What was counted for this test's customers."""
        connection = await asyncpg.connect(self.tally_dsn)
        try:
            rows = await connection.fetch("select customer, numbers from tally where customer like $1", f"%{self.run}%")
        finally:
            await connection.close()
        return {row["customer"]: list(row["numbers"]) for row in rows}

    async def until_counted(self, wanted: int, seconds: float = 60) -> dict[str, list[int]]:
        """Waits until so many numbers were counted, and a little longer for one too many."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            counted = await self.tally()
            if sum(len(v) for v in counted.values()) >= wanted:
                await asyncio.sleep(1)
                return await self.tally()
            await asyncio.sleep(0.1)
        raise AssertionError(f"only {sum(len(v) for v in (await self.tally()).values())} of {wanted}; logs:\n{self.logs()}")

    def rejected(self) -> dict[tuple[int, int], Rejected]:
        """What is rejected, by its message's place: published at least once, so again where an acknowledgement was late."""
        found = [decode(r.value, Rejected) for r in self.stack.read_all(REJECTED.name) if self.run.encode() in r.key]
        return {(one.partition, one.offset): one for one in found}

    def logs(self) -> str:
        """The last lines of every replica's log."""
        texts = sorted(self.stack.folder.glob(f"{self.run}-*.log"))
        return "\n".join(f"== {t.name}\n" + "\n".join(t.read_text().splitlines()[-25:]) for t in texts)

    async def change(self, statement: str) -> None:
        """What an operator would do to the program's database."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """A question to the program's database."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return [dict(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()


def expected(numbers: range) -> set[int]:
    """What one counting of each number gives."""
    return {n * 10 + k for n in numbers for k in (1, 2, 3)}


def all_of(counted: dict[str, list[int]]) -> list[int]:
    """Every counted number."""
    return [n for numbers in counted.values() for n in numbers]


def messages(raw: list[Any]) -> list[dict[str, Any]]:
    """The JSON of records."""
    return [json.loads(r.value) for r in raw]

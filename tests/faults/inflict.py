"""Carries the schedule out: each kind of fault is done to the stand, lasts, and is taken back."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Producer

from faults.means import clocks, disk
from faults.means.proxy import ProxyError
from faults.observer.book import STRANGER, TOPICS
from faults.plan import Fault, Kind
from faults.stand import Stand

POISON = (
    b"",
    b"\x00\x01",
    b"\xff\xfe\xfa",
    b"[" * 5_000,
    b'{"id": 7}',
    b'{"type": "from_the_future", "customer_id": "c"}',
    b"null",
    b'{"a":',
    b"x" * 1_500_000,
)
HOUR_SECONDS = 3600.0
DISK_AGAIN_SECONDS = 0.2


@dataclass
class Inflicter:
    """One run's harm. `done` is what was begun, with the wall instant."""

    stand: Stand
    previous: Path | None = None
    done: list[tuple[float, Fault]] = field(default_factory=list)
    rolled: list[str] = field(default_factory=list)
    """Replicas that were ready on the previous build."""
    _troubles: list[dict[str, Any]] = field(default_factory=list)
    _lasting: Counter[str] = field(default_factory=Counter)

    async def carry_out(self, faults: Sequence[Fault], began: float, say: Callable[[str], None]) -> None:
        """Each fault at its time after the monotonic instant `began`; they may overlap. Returns when all are over."""
        tasks: list[asyncio.Task[None]] = []
        for fault in faults:
            await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
            say(str(fault))
            self.done.append((time.time(), fault))
            tasks.append(asyncio.create_task(_WAYS[fault.kind](self, fault)))
        await asyncio.gather(*tasks)

    async def kill(self, fault: Fault) -> None:
        """At once and without a word."""
        self.stand.signal(fault.target, signal.SIGKILL)

    async def leave(self, fault: Fault) -> None:
        """Politely."""
        self.stand.signal(fault.target, signal.SIGTERM)

    async def freeze(self, fault: Fault) -> None:
        """Stops the process in the middle of what it does; if it is still there when no freeze of it lasts any more, it goes on."""
        pid = self.stand.signal(fault.target, signal.SIGSTOP)
        await self._last([str(pid)], fault.seconds)
        if pid and pid == self.stand.pid(fault.target) and not self._lasting[str(pid)]:
            self.stand.signal(fault.target, signal.SIGCONT)

    async def stall(self, fault: Fault) -> None:
        """Stops a server with all its processes; what was not killed meanwhile goes on."""
        processes = _tree(self.stand.pid(fault.target))
        _send(processes, signal.SIGSTOP)
        await asyncio.sleep(fault.seconds)
        _send(processes, signal.SIGCONT)

    async def network(self, fault: Fault) -> None:
        """Turns the replica's routes, and back when nothing of that kind lasts any more."""
        servers = ("kafka", "postgres") if fault.way == "both" else (fault.way,)
        routes = [f"{server}/{fault.target}" for server in servers]
        with suppress(ProxyError):
            await self.stand.proxies.set(routes, fault.kind, fault.amount, fault.amount / 2)  # type: ignore[arg-type]  # kinds of the network
            await self._last(routes, fault.seconds)
            await self.stand.proxies.set([route for route in routes if not self._lasting[route]], "pass")

    async def _last(self, harmed: Sequence[str], seconds: float) -> None:
        """Counts what is harmed at the same time by several faults, so that the shorter one's end does not heal it."""
        self._lasting.update(harmed)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._lasting.subtract(harmed)

    async def jump(self, fault: Fault) -> None:
        """The replica's wall clock is wrong for a while; of jumps that overlap the latest counts."""
        file = self.stand.equipment.clock(fault.target)
        clocks.jump(file, fault.amount * HOUR_SECONDS)
        await self._last([str(file)], fault.seconds)
        if not self._lasting[str(file)]:
            clocks.jump(file, 0)

    async def provider(self, fault: Fault) -> None:
        """Adds a trouble to the provider's menu."""
        trouble = {"kind": fault.way, "share": fault.amount, "seconds": 3.0, "seed": int(fault.at * 1000)}
        self._troubles.append(trouble)
        await self.stand.provider(self._troubles)
        await asyncio.sleep(fault.seconds)
        self._troubles.remove(trouble)
        await self.stand.provider(self._troubles)

    async def poison(self, _fault: Fault) -> None:
        """Writes what nobody can read to every partition of a topic that processors read, as a stranger with access could."""
        await asyncio.to_thread(self._poison)

    async def server(self, fault: Fault) -> None:
        """Kills Kafka, PostgreSQL or both."""
        names = {"broker": ("kafka",), "database": ("postgres",), "servers": ("kafka", "postgres")}[fault.kind]
        for name in names:
            self.stand.signal(name, signal.SIGKILL)

    async def disk(self, fault: Fault) -> None:
        """Nothing more can be written, also not by what is started anew meanwhile."""
        until = time.monotonic() + fault.seconds
        harmed: set[int] = set()
        while time.monotonic() < until:
            pid = self.stand.pid(fault.target)
            if pid and pid not in harmed:
                self.stand.expect_end(fault.target)
                harmed.add(pid)
            if pid:
                await asyncio.to_thread(disk.full, pid)
            await asyncio.sleep(DISK_AGAIN_SECONDS)
        for pid in harmed:
            await asyncio.to_thread(disk.heal, pid)

    async def roll(self, fault: Fault) -> None:
        """The replica ends politely and comes back as the other build."""
        tree = self.previous if fault.way == "previous" else None
        self.stand.build(fault.target, tree)
        if tree and await self.stand.runs_from(fault.target, tree):
            self.rolled.append(fault.target)

    def _poison(self) -> None:
        settings = {"message.timeout.ms": 10_000, "message.max.bytes": 4_000_000, "log_level": 0}
        producer = Producer({"bootstrap.servers": self.stand.endpoints["kafka"], **settings})
        for number, value in enumerate(POISON):
            for topic in TOPICS[:-1]:
                producer.produce(f"nextwave.{topic}.v1", value=value, key=STRANGER + str(number).encode())
        producer.flush(15)


_WAYS: dict[Kind, Callable[[Inflicter, Fault], Coroutine[Any, Any, None]]] = {
    "kill": Inflicter.kill,
    "leave": Inflicter.leave,
    "freeze": Inflicter.freeze,
    "cut": Inflicter.network,
    "blackhole": Inflicter.network,
    "half": Inflicter.network,
    "slow": Inflicter.network,
    "jump": Inflicter.jump,
    "provider": Inflicter.provider,
    "poison": Inflicter.poison,
    "broker": Inflicter.server,
    "database": Inflicter.server,
    "servers": Inflicter.server,
    "stall": Inflicter.stall,
    "disk": Inflicter.disk,
    "roll": Inflicter.roll,
}


def _tree(pid: int) -> list[psutil.Process]:
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def _send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)


def previous_build(folder: Path, repository: Path, revision: str = "") -> Path:
    """The source tree of `revision`, or of the last commit whose product differs from this tree. Raises `subprocess.CalledProcessError`."""
    product = ["libs", "services"]
    if not revision:
        log = subprocess.run(
            ["git", "log", "--format=%H", "-2", "--", *product], cwd=repository, capture_output=True, text=True, check=True
        )
        changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *product], cwd=repository, check=False).returncode
        commits = log.stdout.split()
        revision = "HEAD" if changed else f"{commits[0]}^"
    folder.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "archive", revision, *product], cwd=repository, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder

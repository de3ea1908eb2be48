"""The stack under attack: `nextwave up` with two of each service, proxies in between, clocks that can jump; handles on its processes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
from nextwave_local import bringup
from nextwave_local.folder import Folder
from nextwave_local.layout import SERVICES, STATEFUL
from nextwave_local.ports import free_ports

from faults.means import clocks
from faults.means.proxy import Proxies
from faults.observer.evidence import Ended
from faults.supervisor import Equipment

SPEED = 120.0
"""Two business minutes a second."""
ORIGIN = "2026-03-03T09:05:00Z"
"""A Tuesday morning in Great Britain; in California it is night for three and a half minutes more, in Sydney evening."""
REPLICAS: Mapping[str, int] = dict.fromkeys(SERVICES, 2)
READY_SECONDS = 60.0
ENDED = re.compile(r" (?P<name>\S+) ended (by SIG[A-Z]+|with code \d+), pid (?P<pid>\d+)$")
"""The supervisor's line on a process that ended without being told to by it."""
HARM_SECONDS = 30.0
"""So long after it was killed or stopped a replica may give no answer: it stands still for 12 seconds, or starts on a busy machine."""


@dataclass(frozen=True, slots=True)
class Killed:
    """A process that we ended."""

    name: str
    pid: int


@dataclass
class Stand:
    """A running stack. Everything that harms it goes through here, so that what we did can be told from what happened by itself."""

    state: Path
    client: httpx.AsyncClient
    proxies: Proxies
    equipment: Equipment
    replicas: Mapping[str, int]
    killed: list[Killed] = field(default_factory=list)
    harmed: list[tuple[str, float, float]] = field(default_factory=list)
    """Replicas whose process was ended or stood still, from when to when (wall seconds)."""

    @property
    def endpoints(self) -> dict[str, Any]:
        """`endpoints.json` as it is now; empty while it is being written."""
        with suppress(OSError, ValueError):
            return dict(json.loads((self.state / "endpoints.json").read_text()))
        return {}

    @property
    def folder(self) -> Folder:
        """The stack's files."""
        return Folder(self.state)

    def urls(self, service: str) -> tuple[str, ...]:
        """Where each replica of a service listens."""
        layout = self.folder.layout()
        return tuple(layout.url(f"{service}-{n}") for n in range(self.replicas[service]))

    def names(self) -> tuple[str, ...]:
        """Every replica."""
        return tuple(f"{service}-{n}" for service, count in self.replicas.items() for n in range(count))

    def pid(self, name: str) -> int:
        """The process that runs under this name now, 0 for none."""
        return int(self.endpoints.get("pids", {}).get(name, 0))

    def signal(self, name: str, number: signal.Signals) -> int:
        """Signals a process, if it is there; its id, or 0."""
        pid = self.pid(name)
        if not pid:
            return 0
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.killed.append(Killed(name, pid))
        if number != signal.SIGCONT:
            self.harmed.append((name, time.time(), time.time() + HARM_SECONDS))
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return pid
        return 0

    def expect_end(self, name: str) -> None:
        """The process may end by what we do to it (a full disk)."""
        self.killed.append(Killed(name, self.pid(name)))

    def ended(self) -> list[Ended]:
        """Processes that ended without our doing, as the supervisor's log says."""
        ours = {(one.name, one.pid) for one in self.killed}
        lines = self.folder.log("supervisor").read_text(errors="replace").splitlines()
        found = [Ended(told["name"], int(told["pid"])) for told in map(ENDED.search, lines) if told]
        return [one for one in found if (one.name, one.pid) not in ours]

    def build(self, name: str, tree: Path | None = None) -> None:
        """Lets a replica come back from another source tree, or from ours; nothing happens when it runs from there already."""
        file = self.equipment.build(name)
        wanted = str(tree) if tree else ""
        if wanted == (file.read_text() if file.exists() else ""):
            return
        if tree:
            file.write_text(wanted)
        else:
            file.unlink()
        self.signal(name, signal.SIGTERM)

    async def api(self, service: str, method: str, path: str, body: Any = None) -> Any:
        """A call of a service's API, tried at each replica until one answers; None when none does."""
        headers = {"authorization": f"Bearer {self.endpoints.get('api_token', '')}"}
        for url in self.urls(service):
            with suppress(httpx.HTTPError):
                answer = await self.client.request(method, url + path, json=body, headers=headers)
                if answer.status_code < 300:
                    return answer.json() if answer.content else {}
        return None

    async def provider(self, faults: list[dict[str, Any]]) -> None:
        """Puts the fault menu of the provider simulator."""
        with suppress(httpx.HTTPError):
            await self.client.put(self.endpoints["simulator"] + "/faults", json={"faults": faults})

    async def heal(self) -> None:
        """Everything as it should be: network, clocks, providers, frozen processes; whoever runs another build comes back with ours."""
        await self.proxies.set(self.equipment.route_names(), "pass")
        for name in self.names():
            clocks.jump(self.equipment.clock(name), 0)
            self.signal(name, signal.SIGCONT)
            self.build(name)
        await self.provider([])

    async def ready(self) -> list[str]:
        """Waits until every replica says that it is ready; those that do not say so in time."""
        deadline = time.monotonic() + READY_SECONDS
        return [name for name in self.names() if not await self._becomes_ready(name, deadline)]

    async def runs_from(self, name: str, tree: Path) -> bool:
        """Waits until a replica is ready that was started from this source tree; False when that does not happen in time."""
        deadline = time.monotonic() + READY_SECONDS / 2
        while time.monotonic() < deadline:
            with suppress(psutil.Error):
                path = psutil.Process(self.pid(name)).environ().get("PYTHONPATH", "")
                if path.startswith(str(tree)) and await self._becomes_ready(name, time.monotonic() + 1):
                    return True
            await asyncio.sleep(0.2)
        return False

    async def _becomes_ready(self, name: str, deadline: float) -> bool:
        url = self.folder.layout().url(name)
        while not await self._is_ready(url):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.2)
        return True

    async def _is_ready(self, url: str) -> bool:
        with suppress(httpx.HTTPError):
            return (await self.client.get(f"{url}/readyz", timeout=2)).status_code == 200
        return False


def _equip(state: Path, without: Sequence[str], replicas: Mapping[str, int]) -> Equipment:
    """Chooses ports, and writes down for the supervisor what it shall give each replica."""
    names = [f"{service}-{n}" for service, count in replicas.items() for n in range(count)]
    keepers = [name for name in names if name.rpartition("-")[0] in STATEFUL]
    ports = iter(free_ports(2 * len(names) + len(keepers)))
    equipment = Equipment(
        kafka_ports={name: next(ports) for name in names},
        kafka_doors={name: next(ports) for name in names},
        postgres_ports={name: next(ports) for name in keepers},
        without=tuple(without),
        state=str(state),
    )
    for part in ("clocks", "builds"):
        (state / part).mkdir(parents=True, exist_ok=True)
    equipment.file.write_bytes(msgspec.json.encode(equipment))
    for name in names:
        clocks.jump(equipment.clock(name), 0)
    return equipment


async def begin(
    state: Path, *, without: Sequence[str] = (), replicas: Mapping[str, int] = REPLICAS, say: Callable[[str], None] = print
) -> Stand:
    """Starts a stack; `without` names mechanisms to leave out. Raises `BringUpError`."""
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")  # a broker killed again and again starts in half the time
    known = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(Path(__file__).parents[1]), *known]))  # for what the supervisor starts
    equipment = _equip(state, without, replicas)
    folder = Folder(state)
    wish = bringup.Wish(
        replicas=dict(replicas), any_ports=True, speed=SPEED, origin=datetime.fromisoformat(ORIGIN), supervisor="faults.supervisor"
    )
    proxies = Proxies()
    starting = asyncio.create_task(asyncio.to_thread(bringup.up, folder, wish, say))
    try:
        await proxies.start(equipment.routes(await _postgres_port(folder, starting)))
        await starting
    except BaseException:
        await asyncio.to_thread(bringup.down, folder, lambda _: None)
        await asyncio.gather(starting, return_exceptions=True)
        await proxies.close()
        raise
    client = httpx.AsyncClient(timeout=8, limits=httpx.Limits(max_connections=400))
    return Stand(state, client, proxies, equipment, replicas)


async def _postgres_port(folder: Folder, starting: asyncio.Task[None]) -> int:
    """As soon as it is chosen, long before any service wants to come through the proxy."""
    while not (folder.path / "layout.json").exists() and not starting.done():  # noqa: ASYNC110  (written by another thread)
        await asyncio.sleep(0.02)
    return folder.layout().ports["postgres"]


async def end(stand: Stand) -> None:
    """Stops the stack."""
    await stand.heal()
    await asyncio.to_thread(bringup.down, stand.folder, lambda _: None)
    await stand.client.aclose()
    await stand.proxies.close()
    clocks.sweep()

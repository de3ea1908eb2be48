"""The detached process behind `nextwave up`: starts the parts in order, keeps them running, and stops them in the reverse order."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time
from typing import Any

import msgspec
from nextwave_contracts.clock import ClockSetting
from nextwave_runtime.settings import REFUSED, REFUSED_CODE

from nextwave_local import children, issuing, kafka_server, postgres_server, topics_admin
from nextwave_local.folder import Folder, Progress, Recorded
from nextwave_local.keeper import Keeper, note
from nextwave_local.layout import DRAIN_SECONDS, READY_SECONDS, STATEFUL, clock_settings, environment
from nextwave_local.leftovers import stop_left_behind
from nextwave_local.readiness import is_ready
from nextwave_local.topics import DEFAULT_PARTITIONS

RESTARTS_BEFORE_READY = 3
REFUSED_LINES = 50
MIGRATION_SECONDS = 240.0


class StartError(RuntimeError):
    """The stack cannot be brought up; the message is for the person who typed `nextwave up`."""


@dataclass(frozen=True, kw_only=True)
class Outfit:
    """How a stack's programs differ from what a user runs; only tests that do harm to it change anything."""

    dress: Callable[[str, children.Command], children.Command] = lambda _, command: command
    """The command of a service or the simulator, by name (`scoring-0`), as it is to be started."""
    doors: Mapping[str, kafka_server.Door] = field(default_factory=dict)
    """Further listeners of the broker."""


class Supervisor:
    """One stack's processes."""

    def __init__(self, folder: Folder, outfit: Outfit) -> None:
        self._folder = folder
        self._outfit = outfit
        self._layout = folder.layout()
        self._secret = issuing.load_or_make(folder.credentials, folder.keys)
        self._keepers: dict[str, Keeper] = {}
        self._servers: dict[str, Any] = {}
        self._writing = threading.Lock()
        self._ready = False
        self.stopping = threading.Event()

    def start(self) -> None:
        """Brings everything up in order, then says so. Raises `StartError`."""
        self._say("starting", "Kafka and PostgreSQL")
        ports, path = self._layout.ports, self._folder.path
        doors = self._outfit.doors
        self._keep("kafka", lambda: kafka_server.start(path / "kafka", ports["kafka"], log=self._folder.log("kafka"), doors=doors))
        self._keep("postgres", lambda: postgres_server.start(path / "postgres", ports["postgres"], log=self._folder.log("postgres")))
        self._wait_for(("kafka", "postgres"), lambda name: name in self._servers)
        self._say("starting", "databases and topics")
        self._migrate()
        bootstrap = self._servers["kafka"].bootstrap
        asyncio.run(topics_admin.apply(bootstrap, partitions=DEFAULT_PARTITIONS, replication=1))
        names = ("simulator", *self._layout.names())
        self._say("starting", ", ".join(names))
        self._begin_business_time()
        for name in names:
            self._keep(name, lambda name=name: self._start_program(name))  # type: ignore[misc]
        self._wait_for(names, lambda name: is_ready(self._layout.url(name)))
        self._ready = True
        self._record()
        self._say("ready", "")

    def watch(self) -> None:
        """Waits for the end; every second leaves a sign of life."""
        while not self.stopping.wait(1.0):
            os.utime(self._folder.clock)

    def stop(self) -> None:
        """Services first, so that they can finish what they began, then the simulator, then Kafka and PostgreSQL."""
        self._say("stopping", "")
        self._ready = False
        self._folder.forget_endpoints()
        for group in (self._layout.names(), ("simulator",), ("kafka", "postgres")):
            keepers = [self._keepers[name] for name in group if name in self._keepers]
            for keeper in keepers:
                keeper.stop()
            for keeper in keepers:
                keeper.join()

    def _begin_business_time(self) -> None:
        """A clock that does not follow the wall begins now: at a high speed, weeks would pass while servers start or jars come in."""
        clock = self._layout.clock
        if clock != ClockSetting():
            self._layout = msgspec.structs.replace(self._layout, clock=msgspec.structs.replace(clock, epoch_seconds=time()))
            self._folder.write_layout(self._layout)

    def fail(self, reason: str) -> None:
        """Stops everything and leaves the reason behind."""
        self.stop()
        self._say("failed", reason)

    def _say(self, phase: str, message: str) -> None:
        note(f"{phase} {message}")
        self._folder.write_progress(Progress(phase, message, os.getpid()))

    def _keep(self, name: str, begin: Callable[[], Any]) -> None:
        def begun() -> children.Handle:
            self._servers[name] = server = begin()
            return server  # type: ignore[no-any-return]

        self._keepers[name] = Keeper(name, begun, self._record)
        self._keepers[name].start()

    def _wait_for(self, names: Iterable[str], is_ready: Callable[[str], bool]) -> None:
        limit = monotonic() + READY_SECONDS
        waiting = list(names)
        while waiting:
            for name in [name for name in waiting if is_ready(name)]:
                waiting.remove(name)
            self._give_up_on([self._keepers[name] for name in waiting], late=monotonic() > limit)
            if self.stopping.wait(0.05):
                raise StartError("it was told to stop while it started")

    def _give_up_on(self, keepers: list[Keeper], *, late: bool) -> None:
        for keeper in keepers:
            if keeper.code == REFUSED_CODE:
                _, refused, why = children.last_lines(self._folder.log(keeper.name), REFUSED_LINES).rpartition(REFUSED)
                raise StartError(f"{keeper.name}: {refused}{why}")
            if late or keeper.restarts >= RESTARTS_BEFORE_READY:
                why = keeper.trouble or children.last_lines(self._folder.log(keeper.name))
                what = "was not ready in time" if late else "ended again and again"
                raise StartError(f"{keeper.name} {what}. The end of {self._folder.log(keeper.name)}:\n{why}")

    def _migrate(self) -> None:
        databases = {service: self._servers["postgres"].dsn(service) for service in STATEFUL if self._layout.replicas[service]}
        arguments = [sys.executable, "-m", "nextwave_local.migrations"]
        asked = msgspec.json.encode(databases)
        done = subprocess.run(arguments, input=asked, capture_output=True, check=False, timeout=MIGRATION_SECONDS)
        if done.returncode:
            raise StartError(f"the migrations failed:\n{(done.stdout + done.stderr).decode(errors='replace')[-3000:]}")

    def _start_program(self, name: str) -> children.Child:
        module = "nextwave_local.simulator" if name == "simulator" else f"nextwave_{name.rpartition('-')[0]}"
        command = children.Command(
            arguments=[sys.executable, "-m", module], log=self._folder.log(name), environment=self._environment(name)
        )
        return children.start(self._outfit.dress(name, command), grace_seconds=DRAIN_SECONDS + 5)

    def _environment(self, name: str) -> dict[str, str]:
        if name == "simulator":
            return {**os.environ, **self._simulator_settings()}
        service = name.rpartition("-")[0]
        dsn = self._servers["postgres"].dsn(service) if service in STATEFUL else ""
        self._folder.secrets.mkdir(mode=0o700, exist_ok=True)
        places = {"NEXTWAVE_SECRETS_DIR": str(self._folder.secrets)}
        if service == "scoring":
            places["NEXTWAVE_MODELS_FOLDER"] = str(self._folder.models)
        return {**places, **os.environ, **environment(name, self._layout, self._secret, str(self._folder.keys), dsn)}

    def _simulator_settings(self) -> dict[str, str]:
        settings = {
            "PORT": str(self._layout.ports["simulator"]),
            "SMTP_PORT": str(self._layout.ports["smtp"]),
            "LEDGER": str(self._folder.path / "simulator" / "ledger.jsonl"),
            "TWILIO_ACCOUNT": self._secret.twilio_account,
            "TWILIO_TOKEN": self._secret.twilio_token,
            "MAIL_CALLBACK_SECRET": self._secret.mail_callback_secret,
            "ENDPOINT_SECRET": self._secret.endpoint_secret,
            "WRITE_KEY": self._secret.write_key,
            "INGEST_URL": self._url("ingest"),
            "CHANNELS_URL": self._url("channels"),
            **clock_settings(self._layout.clock),
        }
        return {f"NEXTWAVE_SIMULATOR_{key}": value for key, value in settings.items()}

    def _url(self, service: str) -> str:
        return self._layout.url(f"{service}-0") if self._layout.replicas[service] else ""

    def _record(self) -> None:
        """Writes down whose pids are ours, and where all is reached once it is ready."""
        with self._writing:
            handles = {name: keeper.handle for name, keeper in self._keepers.items() if keeper.handle is not None}
            pids = {name: handle.pid for name, handle in handles.items()} | {"supervisor": os.getpid()}
            self._folder.write_processes({name: Recorded(pid, children.started_at(pid) or 0.0) for name, pid in pids.items()})
            if self._ready:
                self._folder.write_endpoints(self._endpoints(pids))

    def _endpoints(self, pids: Mapping[str, int]) -> dict[str, Any]:
        return {
            "kafka": self._servers["kafka"].bootstrap,
            "postgres": self._servers["postgres"].admin_dsn,
            **{service: self._url(service) for service in self._layout.replicas},
            "simulator": self._layout.url("simulator"),
            "smtp": f"127.0.0.1:{self._layout.ports['smtp']}",
            "write_key": self._secret.write_key,
            "api_token": self._secret.api_token,
            "pids": pids,
        }


def main(path: Path, outfit: Outfit) -> int:
    """Runs the stack of a state folder until SIGTERM; 1 when it could not be started."""
    folder = Folder(path)
    lock = folder.lock()
    if lock is None:
        return 1
    stop_left_behind(folder)
    supervisor = Supervisor(folder, outfit)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stopping.set())
    try:
        supervisor.start()
    except (StartError, OSError, RuntimeError, msgspec.MsgspecError, subprocess.SubprocessError) as failed:
        supervisor.fail(str(failed))
        return 1
    supervisor.watch()
    supervisor.stop()
    folder.write_processes({})
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Outfit()))

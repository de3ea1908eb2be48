"""The supervisor of a stack that is going to be harmed: as `nextwave up`, but with everything between the parts in our hands.

Each replica reaches Kafka and PostgreSQL through the proxy, has a clock that can jump, may lack one mechanism, may be another build.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from nextwave_local import supervisor
from nextwave_local.children import Command
from nextwave_local.kafka_server import Door

from faults import breaking
from faults.means import clocks

PARENT_SECONDS = 0.5


class Equipment(msgspec.Struct, frozen=True, kw_only=True):
    """What the harness prepared, by replica: ports of the proxy, the broker's doors behind it, what to leave out, other builds.

    `builds` names a folder in which a file `<replica>` holds the source tree that the replica runs from; without the file it runs ours.
    """

    kafka_ports: dict[str, int]
    kafka_doors: dict[str, int]
    postgres_ports: dict[str, int]
    without: tuple[str, ...] = ()
    state: str

    @property
    def folder(self) -> Path:
        """The state folder."""
        return Path(self.state)

    @property
    def file(self) -> Path:
        """Where it is written."""
        return self.folder / "equipment.json"

    def clock(self, name: str) -> Path:
        """The file that says by how much a replica's clock is wrong."""
        return self.folder / "clocks" / name

    def build(self, name: str) -> Path:
        """The file that names the source tree of a replica."""
        return self.folder / "builds" / name

    def routes(self, postgres_port: int) -> dict[str, tuple[int, int]]:
        """What the proxy listens on and leads to, by route: `kafka/<replica>` and `postgres/<replica>`."""
        kafka = {f"kafka/{name}": (port, self.kafka_doors[name]) for name, port in self.kafka_ports.items()}
        return kafka | {f"postgres/{name}": (port, postgres_port) for name, port in self.postgres_ports.items()}

    def route_names(self) -> list[str]:
        """Every route."""
        return list(self.routes(0))

    def doors(self) -> dict[str, Door]:
        """The broker's listeners, one for each replica."""
        return {_listener(name): Door(port, self.kafka_ports[name]) for name, port in self.kafka_doors.items()}

    def dress(self, name: str, command: Command) -> Command:
        """A replica's command with everything in our hands."""
        if name not in self.kafka_ports:
            return command
        environment = dict(command.environment or {}) | {"NEXTWAVE_KAFKA": f"127.0.0.1:{self.kafka_ports[name]}"}
        if name in self.postgres_ports:
            environment["NEXTWAVE_POSTGRES"] = _through(environment["NEXTWAVE_POSTGRES"], self.postgres_ports[name])
        environment |= clocks.environment(self.clock(name))
        arguments = list(command.arguments)
        if self.build(name).exists():
            environment["PYTHONPATH"] = _sources(Path(self.build(name).read_text()))
        elif lost := breaking.at_work_in(name.rpartition("-")[0], self.without):
            arguments = [arguments[0], "-m", "faults.breaking", ",".join(lost), arguments[-1]]
        return replace(command, arguments=arguments, environment=environment)


def _listener(name: str) -> str:
    return name.replace("-", "_").upper()


def _through(dsn: str, port: int) -> str:
    return dsn.replace(f":{urlsplit(dsn).port}/", f":{port}/")


def _sources(tree: Path) -> str:
    """The packages of another build, before those that are installed."""
    return ":".join(
        str(tree / part) for part in ("libs/common", *(f"services/{s}" for s in ("ingest", "scoring", "orchestrator", "channels")))
    )


def _end_with(parent: int) -> None:
    """However the harness ends, its stack must not outlive it."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def main(path: Path) -> int:
    """Runs the stack of a state folder, as long as whoever started it lives."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    equipment = msgspec.json.decode((path / "equipment.json").read_bytes(), type=Equipment)
    return supervisor.main(path, supervisor.Outfit(dress=equipment.dress, doors=equipment.doors()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

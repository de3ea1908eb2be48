"""The state folder of one local stack: where each file is, written so that a reader never sees half of one."""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import msgspec

from nextwave_local import children
from nextwave_local.layout import Layout

DEFAULT = Path(".nextwave")
LOG_BYTES_MAX = 50_000_000
START_TOLERANCE_SECONDS = 2.0
VARIABLES = ("ingest", "scoring", "orchestrator", "channels", "simulator", "kafka", "write_key", "api_token")
"""What of the endpoints a shell gets, in capitals."""


class Recorded(msgspec.Struct, frozen=True):
    """A process of ours, named for ever by pid and start time."""

    pid: int
    started_at: float

    def alive(self) -> bool:
        """Whether exactly this process runs, and not a stranger that got its number."""
        started = children.started_at(self.pid)
        return started is not None and abs(started - self.started_at) < START_TOLERANCE_SECONDS


class Progress(msgspec.Struct, frozen=True):
    """How far the supervisor is: `starting`, `ready`, `failed` or `stopping`, with the step or the reason."""

    phase: str
    message: str
    pid: int


@dataclass(frozen=True)
class Folder:
    """The files of one stack."""

    path: Path

    @property
    def endpoints(self) -> Path:
        """Where everything is reached; exists only while all is ready."""
        return self.path / "endpoints.json"

    @property
    def variables(self) -> Path:
        """The endpoints as variables of a POSIX shell, to be read with `.`; exists as long as `endpoints`."""
        return self.path / "env.sh"

    @property
    def keys(self) -> Path:
        """The key file."""
        return self.path / "keys.json"

    @property
    def secrets(self) -> Path:
        """Settings of the house in files, each named like its variable; what the environment says comes before them."""
        return self.path / "secrets"

    @property
    def models(self) -> Path:
        """Trained models, as scoring reads them unless the environment names another folder."""
        return self.path / "models"

    @property
    def credentials(self) -> Path:
        """The secrets that services share."""
        return self.path / "credentials.json"

    @property
    def clock(self) -> Path:
        """Business time of the last start; touched every second, so its age says when the stack last lived."""
        return self.path / "clock.json"

    def log(self, name: str) -> Path:
        """What a process printed; the one before is kept when it had grown large."""
        log = self.path / "logs" / f"{name}.log"
        if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
            log.replace(log.with_suffix(".log.1"))
        return log

    def lock(self) -> TextIO | None:
        """The lock that a supervisor holds while it lives, or None when another holds it."""
        self.path.mkdir(parents=True, exist_ok=True)
        handle = (self.path / "supervisor.lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return None
        return handle

    def supervised(self) -> bool:
        """Whether a supervisor lives."""
        if not self.path.is_dir():
            return False
        handle = self.lock()
        if handle is None:
            return True
        handle.close()
        return False

    def write_layout(self, layout: Layout) -> None:
        """What the supervisor shall run."""
        self._write("layout.json", layout)

    def layout(self) -> Layout:
        """What the supervisor runs, or ran last."""
        return msgspec.json.decode((self.path / "layout.json").read_bytes(), type=Layout)

    def write_progress(self, progress: Progress) -> None:
        """How far the supervisor is."""
        self._write("progress.json", progress)

    def progress(self) -> Progress | None:
        """How far the supervisor is, or was."""
        path = self.path / "progress.json"
        return msgspec.json.decode(path.read_bytes(), type=Progress) if path.exists() else None

    def write_processes(self, processes: Mapping[str, Recorded]) -> None:
        """Which processes are ours."""
        self._write("processes.json", dict(processes))

    def processes(self) -> dict[str, Recorded]:
        """Which processes are, or were, ours."""
        path = self.path / "processes.json"
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Recorded]) if path.exists() else {}

    def write_endpoints(self, endpoints: Mapping[str, Any]) -> None:
        """Says that all is ready, and where: to programs, and to shells."""
        exports = " ".join(f"{name.upper()}={shlex.quote(str(endpoints[name]))}" for name in VARIABLES if name in endpoints)
        self._put(self.variables.name, f"export {exports}\n".encode())
        self._write("endpoints.json", endpoints)

    def forget_endpoints(self) -> None:
        """Nothing is ready any more."""
        self.endpoints.unlink(missing_ok=True)
        self.variables.unlink(missing_ok=True)

    def _write(self, name: str, value: Any) -> None:
        self._put(name, msgspec.json.format(msgspec.json.encode(value), indent=2))

    def _put(self, name: str, content: bytes) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        fresh = self.path / f".{name}.{os.getpid()}"
        fresh.touch(mode=0o600)
        fresh.write_bytes(content)
        fresh.replace(self.path / name)

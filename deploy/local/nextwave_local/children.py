"""Child processes of the local stack: started apart from the terminal, recognised by start time, stopped politely and then surely."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

_SIGNALS = {one.value: one.name for one in signal.Signals}


class Handle(Protocol):
    """Something that runs as one process."""

    @property
    def pid(self) -> int: ...
    @property
    def code(self) -> int | None: ...
    def running(self) -> bool: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to start: `user` is a numeric user to change to (only root can), `log` takes what it prints, appended."""

    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    folder: Path | None = None
    user: int | None = None


@dataclass(frozen=True)
class Child:
    """A started process of ours and how it wants to be stopped."""

    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 30.0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def code(self) -> int | None:
        """How it ended: its exit code, or the number of the signal that ended it, negative; None while it runs."""
        return self.process.poll()

    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Asks it to end, and kills it when the grace is over. Does nothing when it has ended."""
        if not self.running():
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(self.grace_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(command: Command, *, stop_signal: signal.Signals = signal.SIGTERM, grace_seconds: float = 30.0) -> Child:
    """Starts it in a session of its own, so that Ctrl-C in the terminal does not reach it."""
    command.log.parent.mkdir(parents=True, exist_ok=True)
    with command.log.open("ab") as log:
        process = subprocess.Popen(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(command.environment) if command.environment is not None else None,
            cwd=command.folder,
            user=command.user,
            group=command.user,
            extra_groups=[] if command.user is not None else None,
            start_new_session=True,
        )
    return Child(process, stop_signal, grace_seconds)


def started_at(pid: int) -> float | None:
    """When a process started (Unix seconds), or None when there is none. Pid and start time together name a process for ever."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def ending(code: int | None) -> str:
    """How a process ended, in words."""
    if code is not None and code < 0:
        return f"by {_SIGNALS.get(-code, f'signal {-code}')}"
    return f"with code {code}"


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log, for a message that says why something did not start."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return ""


def end(pid: int, stop_signal: signal.Signals, grace_seconds: float) -> None:
    """Ends a process that is not our child: politely, then surely."""
    try:
        process = psutil.Process(pid)
        process.send_signal(stop_signal)
        process.wait(grace_seconds)
    except psutil.TimeoutExpired:
        process.kill()
    except psutil.NoSuchProcess:
        return


def signal_process(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a process that may have ended already."""
    try:
        psutil.Process(pid).send_signal(number)
    except psutil.NoSuchProcess:
        return

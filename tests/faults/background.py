"""Runs of the harness as programs, a few at a time, so that a test that waits for one lets the others go on."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]
AT_ONCE = 1
"""A stack keeps more than a processor busy, and a busy machine is no place to judge seconds."""
LIMIT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended, and all that it printed."""

    code: int
    printed: str

    @property
    def broken(self) -> set[str]:
        """The promises that did not hold."""
        return {line.split()[1] for line in self.printed.splitlines() if line.startswith("FAILED")}


class Background:
    """Runs by name, begun at once and carried out in the order in which they were asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._runs: dict[str, Future[Ran]] = {}
        self._options: dict[str, tuple[str, ...]] = {}

    def begin(self, name: str, *options: str) -> None:
        """Puts a run into the queue."""
        self._options[name] = options
        self._runs[name] = self._pool.submit(self._run, name, options)

    def again(self, name: str, *more: str) -> Ran:
        """Once more, behind all others, with these options besides, however often it is asked for; waits for its end."""
        again = f"{name}-again"
        if again not in self._runs:
            self.begin(again, *self._options[name], *more)
        return self.wait(again)

    def wait(self, name: str) -> Ran:
        """Waits for a run's end."""
        return self._runs[name].result()

    def close(self) -> None:
        """Begins no other run."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, name: str, options: tuple[str, ...]) -> Ran:
        places = ("--report", str(self._folder / "reports"), "--state", str(self._folder / name))
        command = [sys.executable, "-m", "faults", *places, *options]
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired as late:
            return Ran(124, f"not over after {LIMIT_SECONDS:.0f} s: {late.stdout!r}")
        return Ran(done.returncode, done.stdout + done.stderr)

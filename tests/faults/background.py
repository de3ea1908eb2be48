"""Runs of the harness as programs, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]
AT_ONCE = 1
"""Seconds are judged: with another stack beside it, a run would be late for no fault of the code."""
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
        self._running: subprocess.Popen[str] | None = None

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
        """Begins no other run, and ends the one that is under way, which stops what it has started."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._running:
            self._running.terminate()
        self._pool.shutdown(wait=True)

    def _run(self, name: str, options: tuple[str, ...]) -> Ran:
        places = ("--report", str(self._folder / "reports"), "--state", str(self._folder / name))
        command = [sys.executable, "-m", "faults", *places, *options]
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
            self._running = running
            try:
                printed, _ = running.communicate(timeout=LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                running.terminate()
                printed, _ = running.communicate()
                return Ran(124, f"not over after {LIMIT_SECONDS:.0f} s: {printed}")
            finally:
                self._running = None
        return Ran(running.returncode, printed)

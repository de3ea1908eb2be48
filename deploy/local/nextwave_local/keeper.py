"""Keeps one process running: starts it, and starts it again when it ends, ever more slowly while it keeps ending at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

from nextwave_local.children import Handle, ending

POLL_SECONDS = 0.1
HEALTHY_SECONDS = 20.0
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 10.0


def delay_seconds(quick_ends: int) -> float:
    """The pause before the next start after so many ends in a row that came too soon."""
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0**quick_ends)


class Keeper(threading.Thread):
    """One kept process. `begin` starts it and may raise `OSError` or `RuntimeError`; `changed` is called after each start."""

    def __init__(self, name: str, begin: Callable[[], Handle], changed: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._begin = begin
        self._changed = changed
        self._stopping = threading.Event()
        self.handle: Handle | None = None
        self.restarts = -1
        self.trouble = ""
        self.code: int | None = None
        """How it ended last, without being told to by `stop`."""

    def run(self) -> None:
        """The thread's life: until `stop`."""
        quick_ends = 0
        while not self._stopping.is_set():
            began = monotonic()
            self._live()
            quick_ends = 0 if monotonic() - began > HEALTHY_SECONDS else quick_ends + 1
            self._stopping.wait(delay_seconds(quick_ends))
        if self.handle is not None:
            began = monotonic()
            self.handle.stop()
            note(f"{self.name} stopped in {monotonic() - began:.1f} s")

    def stop(self) -> None:
        """Asks for the end; `join` waits for it."""
        self._stopping.set()

    def _live(self) -> None:
        self.restarts += 1
        try:
            self.handle = self._begin()
        except (OSError, RuntimeError) as failed:
            self.trouble = str(failed)
            note(f"{self.name} cannot start: {failed}")
            return
        self.trouble = ""
        note(f"{self.name} started, pid {self.handle.pid}")
        self._changed()
        while self.handle.running():
            if self._stopping.wait(POLL_SECONDS):
                return
        self.code = self.handle.code
        note(f"{self.name} ended {ending(self.code)}, pid {self.handle.pid}")


def note(text: str) -> None:
    """A line of the supervisor's log."""
    print(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {text}", flush=True)

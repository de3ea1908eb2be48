"""Processor time and memory of the processes of a stack, from outside, by pid."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import psutil


class Meter:
    """Processor seconds that each process and its children have spent since this was made."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before = {name: cpu_seconds(pid) for name, pid in self._pids.items()}

    def spent(self) -> dict[str, float]:
        """Seconds by process name."""
        return {name: cpu_seconds(pid) - self._before[name] for name, pid in self._pids.items()}

    def per_event(self, events: float) -> dict[str, float]:
        """Microseconds per event by process name."""
        return {name: seconds / events * 1e6 for name, seconds in self.spent().items()}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, of its children that live and of those that have ended."""
    process = psutil.Process(pid)
    total = sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += sum(child.cpu_times()[:4])
    return float(total)


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its children in MB; what they share counts once where the system tells (Linux)."""
    total = 0
    process = psutil.Process(pid)
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            known = one.memory_full_info()
            total += getattr(known, "pss", known.rss)
    return round(total / 1e6, 1)


def of_stack(pids: Mapping[str, int]) -> dict[str, int]:
    """The processes that do the work: everything in `endpoints.json` but the supervisor."""
    return {name: pid for name, pid in pids.items() if name != "supervisor"}

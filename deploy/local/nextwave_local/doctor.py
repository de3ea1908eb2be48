"""What must be true of a machine before a stack can run on it, and what to do where it is not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from nextwave_local.ports import holder, is_free

MEMORY_BYTES_MIN = 1_500_000_000
DISK_BYTES_MIN = 1_000_000_000
PYTHON_MIN = (3, 11)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `advice` is empty when it is fine."""

    what: str
    seen: str
    advice: str = ""

    @property
    def fine(self) -> bool:
        """Whether a stack can run with it."""
        return not self.advice


def examine(folder: Path, ports: Mapping[str, int]) -> list[Finding]:
    """Looks at Python, memory, disk, the broker's jars, and each port."""
    return [_python(), _memory(psutil.virtual_memory().available), _disk(_free_bytes(folder), folder), _jars(), *map(_port, ports.items())]


def _python() -> Finding:
    seen = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", seen, "" if sys.version_info >= PYTHON_MIN else "use Python 3.11 or newer")


def _memory(available: int) -> Finding:
    advice = "" if available >= MEMORY_BYTES_MIN else f"close something: {MEMORY_BYTES_MIN / 1e9:.1f} GB must be free"
    return Finding("memory", f"{available / 1e9:.1f} GB free", advice)


def _disk(free: int, folder: Path) -> Finding:
    advice = "" if free >= DISK_BYTES_MIN else f"free some space or choose another --state: {DISK_BYTES_MIN / 1e9:.0f} GB are needed"
    return Finding("disk", f"{free / 1e9:.1f} GB free for {folder}", advice)


def _free_bytes(folder: Path) -> int:
    existing = next(one for one in (folder.resolve(), *folder.resolve().parents) if one.exists())
    return psutil.disk_usage(str(existing)).free


def _jars() -> Finding:
    from jgo.config import GlobalSettings  # noqa: PLC0415  (the other commands start faster without it)

    cache = Path(GlobalSettings.load().repo_cache)
    here = any((cache / "org" / "apache" / "kafka").glob("kafka_*/*/*.jar"))
    return Finding("Kafka", f"jars in {cache}" if here else f"67 MB are fetched into {cache} at the first start")


def _port(port: tuple[str, int]) -> Finding:
    name, number = port
    if is_free(number):
        return Finding(f"port {number}", f"free for {name}")
    who = holder(number)
    advice = f"stop {who or 'what listens there'}, or use --ports auto"
    return Finding(f"port {number}", f"needed by {name}, in use{f' by {who}' if who else ''}", advice)

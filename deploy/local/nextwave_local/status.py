"""What runs of a stack, for `nextwave status`."""

from __future__ import annotations

import msgspec
import psutil

from nextwave_local.folder import Folder, Recorded
from nextwave_local.layout import Layout

TECHNICAL = ("kafka", "postgres", "supervisor")


class ProcessStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One process. Memory is what it holds resident, shared pages included."""

    pid: int
    running: bool
    memory_bytes: int
    url: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The whole stack; `phase` is `down`, `starting`, `ready`, `stopping` or `failed`."""

    phase: str
    ready: bool
    summary: str
    processes: dict[str, ProcessStatus]


def status_of(folder: Folder) -> Status:
    """Reads what the supervisor wrote and looks whether it is still true."""
    progress = folder.progress()
    supervised = folder.supervised()
    phase = progress.phase if progress is not None and (supervised or progress.phase == "failed") else "down"
    layout = folder.layout() if progress is not None else None
    processes = {name: _process(name, process, layout) for name, process in folder.processes().items()}
    ended = [name for name, process in sorted(processes.items()) if not process.running]
    word = f"not ready: {', '.join(ended)} ended" if phase == "ready" and ended else phase
    summary = f"{word} ({folder.path})" + (f": {progress.message}" if progress is not None and progress.message else "")
    return Status(phase=phase, ready=phase == "ready" and not ended, summary=summary, processes=processes)


def _process(name: str, recorded: Recorded, layout: Layout | None) -> ProcessStatus:
    url = layout.url(name) if layout is not None and name in layout.ports and name not in TECHNICAL else ""
    try:
        memory = psutil.Process(recorded.pid).memory_info().rss if recorded.alive() else 0
    except psutil.Error:
        memory = 0
    return ProcessStatus(pid=recorded.pid, running=memory > 0, memory_bytes=memory, url=url)

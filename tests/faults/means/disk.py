"""A full disk for a running process tree, without root and without mounts: no file of it may grow beyond a limit, which is lifted again.

The soft RLIMIT_FSIZE is lowered from outside. A write beyond it fails with EFBIG where a full disk gives ENOSPC; PostgreSQL, the JVM and
Python ignore the signal that comes with it. With the limit at 0 nothing at all can be written, not even over old bytes of a file or into a
log, which is harsher than a full disk: PostgreSQL panics at its next commit, Kafka halts at its next append. At `WAL_SEGMENT_BYTES`
PostgreSQL commits on and only larger tables cannot be extended, as on a disk that is really full.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil

WAL_SEGMENT_BYTES = 16 * 1024 * 1024
PASSES_MAX = 10
Sizes = tuple[int, int]
"""A soft and a hard limit in bytes, -1 without one."""


class DiskError(RuntimeError):
    """The limit of a living process cannot be changed."""


def full(pid: int, bytes_max: int = 0) -> None:
    """From now on no file grows beyond `bytes_max` by `pid` or its children, those to come included. Raises `DiskError`.

    Cheap when repeated; does nothing to what has ended. What a supervisor starts anew is not limited until this is called with its id.
    """
    _limit_tree(pid, lambda hard: bytes_max if hard == resource.RLIM_INFINITY else min(bytes_max, hard))


def heal(pid: int) -> None:
    """Lifts the limit as far as it may be lifted. Raises `DiskError`."""
    _limit_tree(pid, lambda hard: hard)


def _limit_tree(pid: int, soft: Callable[[int], int]) -> None:
    """Parents come before their children, and all are gone through again until nobody was born meanwhile with the old limit."""
    for _ in range(PASSES_MAX):
        if not sum(_limit(process, soft) for process in _tree(pid)):
            return


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _limit(process: psutil.Process, soft: Callable[[int], int]) -> bool:
    """Whether there was something to change."""
    try:
        before = _sizes(process.pid)
        after = (soft(before[1]), before[1])
        if before == after or process.status() == psutil.STATUS_ZOMBIE:
            return False
        _set(process, after)
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return False
    return True


def _sizes(pid: int) -> Sizes:
    """Both limits of a process, which everybody may read."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    words = next((line.split() for line in lines if line.startswith("Max file size")), None)
    if words is None:  # it ends just now
        raise ProcessLookupError(pid)
    soft, hard = (resource.RLIM_INFINITY if word == "unlimited" else int(word) for word in words[3:5])
    return soft, hard


def _set(process: psutil.Process, sizes: Sizes) -> None:
    try:
        process.rlimit(psutil.RLIMIT_FSIZE, sizes)
    except psutil.AccessDenied:
        _set_as_owner(process, sizes)


def _set_as_owner(process: psutil.Process, sizes: Sizes) -> None:
    """What root in a container may not do to another user's process (as which PostgreSQL runs there), that user may."""
    program = shutil.which("prlimit")
    if program is None:
        raise DiskError("the program prlimit (util-linux) is not installed")
    soft = "unlimited" if sizes[0] == resource.RLIM_INFINITY else str(sizes[0])
    arguments = [program, "--pid", str(process.pid), f"--fsize={soft}:"]
    user, group = process.uids().real, process.gids().real
    try:
        done = subprocess.run(arguments, user=user, group=group, extra_groups=[], capture_output=True, text=True, check=False)
    except PermissionError as failed:
        raise DiskError(f"process {process.pid} belongs to another user") from failed
    if done.returncode and process.is_running():
        raise DiskError(f"the limit of process {process.pid} cannot be changed: {done.stderr.strip()}")

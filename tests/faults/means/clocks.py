"""Jumps of the wall clock of single processes, by libfaketime: what a bad time server does to one machine of many.

The library is preloaded into the process and reads the offset from a file when the real second has changed (cache duration 0; 1 means two
seconds). Only the wall clock is bent: monotonic clocks stay, and with them loops, sleeps and time-outs.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import psutil

SEEN_SECONDS = 1.0
"""How long after a jump a process may still see the time before it."""
LIBRARY = "libfaketime/vendor/libfaketime/src/libfaketime.so.1"
SHARED = Path("/dev/shm")
MACHINE_BYTES = slice(18, 20)
"""Where an ELF file names the kind of processor it is for."""


class ClockError(RuntimeError):
    """Clocks cannot be bent here."""


def environment(file: Path) -> dict[str, str]:
    """What to add to the environment of a process so that its wall clock follows `file`. Raises `ClockError`."""
    return {
        "LD_PRELOAD": str(library()),
        "FAKETIME_TIMESTAMP_FILE": str(file.absolute()),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_CACHE_DURATION": "0",
    }


def jump(file: Path, seconds: float) -> None:
    """Sets the clock that many seconds before (negative) or after the true time for all that follow `file`; 0 sets it right."""
    half = file.with_name(f"{file.name}.{os.getpid()}")
    half.write_text(f"{seconds:+.3f}\n")
    half.replace(file)


def library() -> Path:
    """The preloaded library. The package that carries it is only asked where it lies. Raises `ClockError`."""
    try:
        found = Path(str(distribution("libfaketime").locate_file(LIBRARY)))
        machine = _machine(found)
    except (PackageNotFoundError, FileNotFoundError) as failed:
        raise ClockError("the package libfaketime is not installed") from failed
    if machine != _machine(Path(sys.executable)):  # the loader would leave it out with no more than a warning
        raise ClockError(f"{found} is not for this kind of processor")
    return found


def sweep() -> None:
    """Removes what the library leaves in shared memory when a process that it was in is killed; what belongs to a living process stays."""
    for name in SHARED.glob("*faketime_*_*"):
        pid = name.name.rpartition("_")[2]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            name.unlink(missing_ok=True)


def _machine(program: Path) -> bytes:
    with program.open("rb") as opened:
        return opened.read(MACHINE_BYTES.stop)[MACHINE_BYTES]

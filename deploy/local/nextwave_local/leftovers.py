"""Processes that an ended supervisor left running: found by pid and start time, stopped before anything new is started."""

from __future__ import annotations

import os
import signal

from nextwave_local import children
from nextwave_local.folder import Folder
from nextwave_local.layout import DRAIN_SECONDS


def stop_left_behind(folder: Folder) -> list[str]:
    """Stops processes that an ended supervisor left running, services before servers; their names. Never touches a stranger."""
    left = {name: process for name, process in folder.processes().items() if process.alive() and process.pid != os.getpid()}
    for name in sorted(left, key=lambda name: name in ("kafka", "postgres")):
        children.end(left[name].pid, signal.SIGINT if name == "postgres" else signal.SIGTERM, DRAIN_SECONDS + 5)
    return list(left)

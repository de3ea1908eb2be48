"""What `nextwave restart` does: ends a service politely and waits until the one that the supervisor starts in its place is ready."""

from __future__ import annotations

import signal
from time import monotonic, sleep

from nextwave_local import children
from nextwave_local.bringup import BringUpError, Say
from nextwave_local.folder import Folder, Recorded
from nextwave_local.layout import DRAIN_SECONDS, READY_SECONDS, Layout
from nextwave_local.readiness import is_ready

POLL_SECONDS = 0.05


def restart(folder: Folder, service: str, say: Say) -> None:
    """One replica after the other, so that the rest go on. `service` is a service or one replica of it. Raises `BringUpError`."""
    progress = folder.progress()
    if not folder.supervised() or progress is None or progress.phase != "ready":
        raise BringUpError(f"no stack is ready in {folder.path}: `nextwave status` tells; --state names another folder")
    layout = folder.layout()
    for name in _meant(layout, service):
        began = monotonic()
        _replace(folder, layout.url(name), name)
        say(f"{name} is ready again, after {monotonic() - began:.1f} s")


def _meant(layout: Layout, service: str) -> list[str]:
    there = (*layout.names(), "simulator")
    meant = [name for name in there if service in {name, name.partition("-")[0]}]
    if not meant:
        raise BringUpError(f"{service!r} is none of {', '.join(there)}; Kafka and PostgreSQL run as long as the stack does")
    return meant


def _replace(folder: Folder, url: str, name: str) -> None:
    before = folder.processes()[name]
    if before.alive():
        children.end(before.pid, signal.SIGTERM, DRAIN_SECONDS + 5)
    limit = monotonic() + READY_SECONDS
    while not _is_another(folder, name, before) or not is_ready(url):
        if monotonic() > limit:
            raise BringUpError(f"{name} was not ready in time; see {folder.log(name)}")
        sleep(POLL_SECONDS)


def _is_another(folder: Folder, name: str, before: Recorded) -> bool:
    """Whether another process runs in its place. Raises `BringUpError` when that one has ended, too."""
    now = folder.processes()[name]
    if now != before and not now.alive():
        raise BringUpError(f"{name} ended again. The end of {folder.log(name)}:\n{children.last_lines(folder.log(name))}")
    return now != before

"""TCP ports on this machine: which are free, and who holds one that is not."""

from __future__ import annotations

import secrets
import socket
from contextlib import ExitStack, suppress

import psutil

CHOICE = range(10_240, 32_768)
"""Below what systems give to outgoing connections (from 32768 on Linux, 49152 elsewhere): one of those might take the port meanwhile."""
TRIES = 1_000


def free_port() -> int:
    """A port that nobody listens on now (it may be taken before you bind it)."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Different free ports, drawn at random: all are held at once while they are chosen. Raises `OSError` when there are not so many."""
    chosen: list[int] = []
    with ExitStack() as held:
        for _ in range(TRIES):
            if len(chosen) == count:
                return chosen
            probe, port = held.enter_context(socket.socket()), secrets.choice(CHOICE)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                chosen.append(port)
    raise OSError(f"not {count} free ports between {CHOICE.start} and {CHOICE.stop}")


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def holder(port: int) -> str:
    """`name (pid n)` of who listens on a port, or an empty text when that cannot be known."""
    try:
        listening = [
            one for one in psutil.net_connections("tcp") if one.laddr and one.laddr.port == port and one.status == psutil.CONN_LISTEN
        ]
        pids = [one.pid for one in listening if one.pid]
        return f"{psutil.Process(pids[0]).name()} (pid {pids[0]})" if pids else ""
    except psutil.Error:
        return ""

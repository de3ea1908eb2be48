"""TCP ports on this machine: which are free, and who holds one that is not."""

from __future__ import annotations

import socket

import psutil


def free_port() -> int:
    """A port that nobody listens on now (it may be taken before you bind it)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_ports(count: int) -> list[int]:
    """Different free ports: all are held at once while they are chosen."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


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

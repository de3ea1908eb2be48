"""TCP connections of the simulator's HTTP server, so that one can be reset in the middle of an exchange as real networks do."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

Peer = tuple[str, int]


class ResettableProtocol(H11Protocol):
    """uvicorn's protocol that remembers the transport of each peer while it is connected."""

    connected: ClassVar[dict[Peer, asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.connected[transport.get_extra_info("peername")[:2]] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.connected.pop(self.transport.get_extra_info("peername")[:2], None)
        super().connection_lost(exc)


def reset_peer(peer: Peer) -> None:
    """Resets the connection of a peer, if it still has one."""
    transport = ResettableProtocol.connected.get(peer)
    if transport is not None:
        reset(transport)


def reset(transport: asyncio.BaseTransport) -> None:
    """Closes with RST instead of FIN: the linger time is set to nothing before."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.Transport):
        transport.abort()

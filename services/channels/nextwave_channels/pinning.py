"""HTTP to addresses that somebody outside chose: a name is resolved once, checked, and the connection goes to the checked address.

Between check and connection no name is asked again, so a name server that answers otherwise the second time gains nothing. TLS is still
verified for the name. Connections are not kept: one made for a name must not serve another that shares its address.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence

import httpx

from nextwave_channels.destinations import fault_of, pinned
from nextwave_channels.http_port import CONNECT_SECONDS, NoDestinationError, NotSentError

CONNECTIONS = 64
NAMELESS = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})
"""What the system's resolver says of a host that has no address; of a name server that does not answer it says something else."""
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses of a host and port. Raises `OSError`."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """See `Resolve`: as the system resolves names, which also reads numbers (`0x7f.1`) as addresses."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[0]) for *_, where in found]


class Pinning(httpx.AsyncHTTPTransport):
    """httpx's transport, to public addresses only. `loopback`: also to this machine, and there without TLS."""

    def __init__(self, *, loopback: bool = False, resolving: Resolve = resolve, tls: ssl.SSLContext | bool = True) -> None:
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=0)
        super().__init__(verify=tls, trust_env=False, limits=limits)
        self._loopback = loopback
        self._resolve = resolving

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises `NoDestinationError` for a destination that is forbidden or has no address, `NotSentError` where nobody can say."""
        url = request.url
        wrong = fault_of(str(url), loopback=self._loopback)
        if wrong:
            raise NoDestinationError(f"forbidden URL: {wrong}")
        addresses = await self._addresses(url.host, url.port or (443 if url.scheme == "https" else 80))
        address = pinned(addresses, secure=url.scheme == "https", loopback=self._loopback)
        if address is None:
            raise NoDestinationError("the host's address is none that may be called")
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=address)
        return await super().handle_async_request(request)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await self._resolve(host, port)
        except (OSError, TimeoutError, UnicodeError) as error:
            nameless = isinstance(error, UnicodeError) or (isinstance(error, socket.gaierror) and error.errno in NAMELESS)
            kind = NoDestinationError if nameless else NotSentError
            raise kind(f"the host's address is not known: {type(error).__name__}") from error

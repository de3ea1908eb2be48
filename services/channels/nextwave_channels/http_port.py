"""The one place where this service speaks HTTP to providers, and where it is decided what a failed request may have done."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
import msgspec

BODY_MAX = 65_536
CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 10.0
BODY_SECONDS = 2.0
"""How long the rest of an answer may take once its status has come."""
PLAIN: Mapping[str, str] = MappingProxyType({"accept-encoding": "identity"})
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
"""Errors that come before the first byte of the request was written."""


class NotSentError(Exception):
    """The request surely did not leave us."""


class NoDestinationError(NotSentError):
    """And it never will: the destination does not exist, or is none that may be called."""


class UnclearError(Exception):
    """The request left us, or may have, and no answer came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A provider's answer. `body` is cut at 64 KiB, and empty where it came encoded although we take none that is (it could grow without
    end); `retry_after_seconds` is wall time, from either form of Retry-After.
    """

    status: int
    body: bytes = b""
    retry_after_seconds: float | None = None

    @property
    def fields(self) -> Mapping[str, Any]:
        """Those of the body's JSON object; none where it is no such thing: the status alone says what became of the request."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {}


class HttpPort(Protocol):
    """What adapters need of HTTP."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """POSTs a body, once. Raises `NotSentError` and `UnclearError`."""

    async def close(self) -> None:
        """Closes every connection."""


class Http:
    """`HttpPort` over httpx. It follows no redirects and trusts no proxy settings of the environment.

    `transport`: in place of httpx's own, for addresses that somebody outside chose (`pinning`).
    """

    def __init__(
        self, *, answer_seconds: float = ANSWER_SECONDS, connections: int = 64, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=4.0)
        timeout = httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
        self._client = httpx.AsyncClient(
            headers=PLAIN, limits=limits, timeout=timeout, trust_env=False, follow_redirects=False, transport=transport
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """See `HttpPort`."""
        return await self.ask("POST", url, body, headers)

    async def get(self, url: str, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
        """GETs a URL. Raises as `HttpPort.post`."""
        return await self.ask("GET", url, None, headers)

    async def ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """One request of any method. Raises as `HttpPort.post`."""
        try:
            async with self._client.stream(method, url, content=body, headers=dict(headers)) as response:
                wait = retry_after(response.headers, time.time())
                return Reply(status=response.status_code, body=await _read(response), retry_after_seconds=wait)
        except _UNSENT as error:
            raise NotSentError(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise UnclearError(type(error).__name__) from error

    async def close(self) -> None:
        """See `HttpPort`."""
        await self._client.aclose()


async def post_form(http: HttpPort, url: str, form: Sequence[tuple[str, str]], user: tuple[str, str]) -> Reply:
    """POSTs a form with Basic authentication (`user`: name and password). Raises as `HttpPort.post`."""
    basic = b64encode(":".join(user).encode()).decode()
    headers = {"content-type": "application/x-www-form-urlencoded", "authorization": f"Basic {basic}"}
    return await http.post(url, urlencode(form).encode(), headers)


def retry_after(headers: Mapping[str, str], wall_now: float) -> float | None:
    """Seconds to wait by a Retry-After header (seconds or HTTP date), never negative; None when there is none that can be read."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - wall_now)
    except (ValueError, OverflowError):
        return None


async def _read(response: httpx.Response) -> bytes:
    """The body as far as it comes: the status alone says what became of the request; a broken or endless body does not take that back."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _cut(response)
    except (httpx.HTTPError, TimeoutError):
        return b""


async def _cut(response: httpx.Response) -> bytes:
    body = b""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        return body
    async for piece in response.aiter_raw():
        body += piece
        if len(body) >= BODY_MAX:
            break
    return body[:BODY_MAX]

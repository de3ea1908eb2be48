"""Requests to the owner's API in a role, at a fixed instant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def at(self, wall_seconds: float) -> datetime:  # noqa: ARG002  (the port's signature)
        return NOW


class Caller:
    """Requests in a role."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(self, role: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"content-type": "application/json", "authorization": f"Bearer {role}-secret"} | given
        return await self._client.request(method, path, content=content, headers=given)

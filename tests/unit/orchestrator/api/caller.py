"""Requests to the owner's API in a role, at a fixed instant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from nextwave_orchestrator.api.control import Control, Sizes
from nextwave_orchestrator.app import make_app
from nextwave_orchestrator.campaigns.lifecycle import Limits
from nextwave_orchestrator.catalogue_store import CatalogueStore
from nextwave_runtime.auth import ROLES, Key, KeyFile, Keyring, hash_secret

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


def keys_file(folder: Path) -> Path:
    """A key for each role."""
    keys = tuple(Key(name=role, kind="api", hash=hash_secret(f"{role}-secret", "p"), roles=(role,)) for role in ROLES)
    (folder / "keys.json").write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=keys)))
    return folder / "keys.json"


@asynccontextmanager
async def calling(store: CatalogueStore, folder: Path, sizes: Sizes | None = None) -> AsyncIterator[Caller]:
    """The owner's API over a store, with a key for each role; editors publish budgets up to 100,000 and audiences up to 1,000."""
    limits = Limits(budget_max=100_000, audience_max=1_000)
    control = Control(store=store, clock=FixedClock(), keyring=Keyring(keys_file(folder)), limits=limits, sizes=sizes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(make_app(control)), base_url="http://test") as client:
        yield Caller(client)

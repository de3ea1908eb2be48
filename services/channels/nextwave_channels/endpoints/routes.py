"""What operators see of the endpoints of webhooks, and how they enable one again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from fastapi import APIRouter
from nextwave_runtime.auth import Keyring
from nextwave_runtime.database import Database
from nextwave_runtime.problem import Problem
from pydantic import BaseModel

from nextwave_channels.access import READS, Operator, guarded
from nextwave_channels.endpoints import health
from nextwave_channels.endpoints.message import Endpoint


class EndpointRow(BaseModel):
    """An endpoint: its host (what else stands in its URL may be secret), how many secrets sign, and how it does (wall time)."""

    channel: str
    host: str
    secrets: int
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    last_failure: str | None = None


class EndpointList(BaseModel):
    """All endpoints that are set up."""

    endpoints: list[EndpointRow]


def router(database: Database, keyring: Keyring, set_up: Sequence[Endpoint]) -> APIRouter:
    """`/v1/endpoints`."""
    routes = guarded(keyring, "/v1")

    @routes.get("/endpoints", tags=["endpoints"], dependencies=READS)
    async def list_endpoints() -> EndpointList:
        return await _listed(database, set_up)

    @routes.post("/endpoints/{channel}:enable", tags=["endpoints"])
    async def enable_endpoint(channel: str, _key: Operator) -> EndpointList:
        if channel not in {each.channel for each in set_up}:
            known = ", ".join(each.channel for each in set_up) or "none"
            raise Problem(404, "not-found", f"no endpoint is set up for {channel!r:.40}; there are: {known}")
        async with database.transaction() as connection:
            await health.enable(connection, channel)
        return await _listed(database, set_up)

    return routes


async def _listed(database: Database, set_up: Sequence[Endpoint]) -> EndpointList:
    async with database.transaction() as connection:
        known = await health.standing(connection)
    rows = []
    for each in set_up:
        failing, disabled, reason = known.get(each.channel, (None, None, ""))
        host = urlsplit(each.url).hostname or ""
        row = EndpointRow(channel=each.channel, host=host, secrets=len(each.secrets), failing_since=failing, disabled_at=disabled)
        rows.append(row.model_copy(update={"last_failure": reason or None}))
    return EndpointList(endpoints=rows)

"""Every route of ingest behind its doors is open to those whom this table names, and to nobody else."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from http_routes import routes
from nextwave_ingest.app import Doors
from nextwave_runtime.auth import ROLES
from unit.ingest.fakes import Stand

READ = frozenset({"viewer", "editor", "approver", "operator"})
WRITE = frozenset({"editor", "approver"})
SEE_REJECTED = READ | {"privacy"}
OPERATE = frozenset({"operator"})
OPEN = {("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/docs/oauth2-redirect"), ("GET", "/redoc")}
"""Without a key: how the API is described."""
RIGHTS: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/v1/sources"): READ,
    ("GET", "/v1/sources/{source}"): READ,
    ("GET", "/v1/mappings"): READ,
    ("GET", "/v1/mappings/{name}"): READ,
    ("PUT", "/v1/mappings/{name}"): WRITE,
    ("DELETE", "/v1/mappings/{name}"): WRITE,
    ("GET", "/v1/mappings/{name}/versions"): READ,
    ("GET", "/v1/mappings/{name}/versions/{version}"): READ,
    ("POST", "/v1/mappings:try"): READ,
    ("POST", "/v1/mappings/{name}:try"): READ,
    ("GET", "/v1/rejected"): SEE_REJECTED,
    ("GET", "/v1/rejected/{at}"): SEE_REJECTED,
    ("POST", "/v1/rejected/{at}:redrive"): OPERATE,
    ("POST", "/v1/rejected:redrive"): OPERATE,
}


def whole(ingest: Stand) -> FastAPI:
    """The application behind the doors, as it is built to run."""
    app: Any = ingest.app
    assert isinstance(app, Doors)
    behind = app._behind._app
    assert isinstance(behind, FastAPI)
    return behind


def test_there_is_no_route_that_the_table_does_not_name(ingest: Stand) -> None:
    assert set(routes(whole(ingest))) == set(RIGHTS) | OPEN


@pytest.mark.parametrize(("method", "path"), RIGHTS)
async def test_each_route_is_open_to_its_roles_alone(ingest: Stand, method: str, path: str) -> None:
    asked = re.sub(r"\{[^}]*\}", "1", path)
    transport = httpx.ASGITransport(ingest.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:

        async def call(role: str) -> int:
            return (await client.request(method, asked, headers={"authorization": f"Bearer at_{role}"})).status_code

        assert {role for role in ROLES if await call(role) != 403} == RIGHTS[method, path]
        assert await call("nobody") == 401

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


AS_POSTED = ("POST", "/v1/mappings/{name}:try")
"""It is sent as its platform would send it, with whatever that has in its query."""


@pytest.mark.parametrize(("method", "path"), [route for route in RIGHTS if route != AS_POSTED])
async def test_a_parameter_that_a_route_does_not_know_is_refused_after_the_key(ingest: Stand, method: str, path: str) -> None:
    asked = re.sub(r"\{[^}]*\}", "1", path) + "?sources=shop"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(ingest.app), base_url="http://ingest") as client:
        told = await client.request(method, asked, headers={"authorization": f"Bearer at_{min(RIGHTS[method, path])}"})
        assert (told.status_code, told.json()["errors"][0]["pointer"]) == (422, "/query/sources")
        assert (await client.request(method, asked)).status_code == 401


async def test_a_misspelt_filter_is_answered_with_the_right_one_and_a_strange_one_with_all(ingest: Stand) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(ingest.app), base_url="http://ingest") as client:
        headers = {"authorization": "Bearer at_viewer"}
        errors = (await client.get("/v1/rejected", params={"sources": "shop", "x": "1"}, headers=headers)).json()["errors"]
    assert "did you mean source?" in errors[0]["detail"]
    assert "use cursor, limit, mapping, processor, reason, redriven, since, source, topic" in errors[1]["detail"]

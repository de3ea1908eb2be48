"""Every route of the channels is open to those whom this table names, and to nobody else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import httpx
import pytest
from fastapi import FastAPI
from http_routes import routes
from nextwave_channels.access import BODY_MAX
from nextwave_channels.app import build
from nextwave_channels.settings import ChannelsSettings
from nextwave_contracts.wire import encode
from nextwave_runtime.auth import ROLES, Key, KeyFile, Role, hash_secret
from unit.channels.test_app import SETTINGS

ANYBODY = frozenset(ROLES)
"""With an API token."""
AGENT, OPERATE = frozenset({"agent"}), frozenset({"operator"})
SEE_STOPS, STOP = frozenset({"viewer", "operator", "privacy"}), frozenset({"operator", "privacy"})
RIGHTS: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/v1/statistics"): ANYBODY,
    ("GET", "/v1/deliveries"): ANYBODY,
    ("GET", "/v1/deliveries/{action_id}"): ANYBODY,
    ("POST", "/v1/deliveries/{action_id}:resolve"): OPERATE,
    ("POST", "/v1/deliveries/{action_id}:look-up"): OPERATE,
    ("GET", "/v1/unmatched-callbacks"): ANYBODY,
    ("GET", "/v1/suppressions"): SEE_STOPS,
    ("GET", "/v1/suppressions:export"): SEE_STOPS,
    ("PUT", "/v1/suppressions"): STOP,
    ("DELETE", "/v1/suppressions"): STOP,
    ("POST", "/v1/suppressions:import"): STOP,
    ("GET", "/v1/providers"): ANYBODY,
    ("PUT", "/v1/providers/{channel}/{provider}"): OPERATE,
    ("GET", "/v1/endpoints"): ANYBODY,
    ("POST", "/v1/endpoints/{channel}:enable"): OPERATE,
    ("GET", "/v1/tasks"): ANYBODY,
    ("POST", "/v1/tasks/{action_id}:claim"): AGENT,
    ("POST", "/v1/tasks/{action_id}:complete"): AGENT,
    ("POST", "/v1/tasks/{action_id}:release"): AGENT,
    ("POST", "/v1/call-lists/{name}:pull"): AGENT,
    ("POST", "/v1/call-lists/{name}:report"): AGENT,
    ("POST", "/v1/call-lists/{name}:extend"): AGENT,
    ("GET", "/v1/call-lists/{name}/retractions"): AGENT,
    ("GET", "/v1/call-lists/{name}"): ANYBODY,
    ("GET", "/v1/call-lists/{name}/entries"): ANYBODY,
    ("GET", "/v1/capacity/{name}"): ANYBODY,
    ("PUT", "/v1/capacity/{name}"): OPERATE,
    ("DELETE", "/v1/capacity/{name}"): OPERATE,
}
OPEN = {
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/oauth2-redirect"),
    ("POST", "/v1/callbacks/{provider}"),
    ("GET", "/v1/onsite.js"),
    ("GET", "/v1/onsite/stream"),
    ("POST", "/v1/onsite/{action_id}:{said}"),
    ("GET", "/v1/webpush/key"),
    ("POST", "/v1/webpush/subscriptions"),
    ("POST", "/v1/webpush/{action_id}:{said}"),
}
"""Without an API token: how the API is described, whoever signs as a provider, and pages, by the write key that every page shows."""


@pytest.fixture
async def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    """The application with all of its routes, as it is built to run; its database is away."""
    keys = tuple(Key(name=role, kind="api", hash=hash_secret(role, "p"), roles=(role,)) for role in get_args(Role))
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=keys)))
    for name, value in {**SETTINGS, "KEYS_FILE": str(tmp_path / "keys.json")}.items():
        monkeypatch.setenv(f"NEXTWAVE_{name}", value)
    service = build(ChannelsSettings())
    assert isinstance(service.app, FastAPI)
    yield service.app
    for close in service.closing:
        await close()


def test_there_is_no_route_that_the_tables_do_not_name(whole: FastAPI) -> None:
    assert set(routes(whole)) == set(RIGHTS) | OPEN


@pytest.mark.parametrize(("method", "path"), RIGHTS)
async def test_each_route_is_open_to_its_roles_alone(whole: FastAPI, method: str, path: str) -> None:
    asked = re.sub(r"\{[^}]*\}", "email", path)
    transport = httpx.ASGITransport(whole, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

        async def call(token: str) -> int:
            return (await client.request(method, asked, headers={"authorization": f"Bearer {token}"})).status_code

        assert {role for role in ROLES if await call(role) != 403} == RIGHTS[method, path]
        assert await call("nobody") == 401


@pytest.mark.parametrize(("method", "path"), RIGHTS)
async def test_a_parameter_that_a_route_does_not_know_is_refused_after_the_token(whole: FastAPI, method: str, path: str) -> None:
    asked = re.sub(r"\{[^}]*\}", "email", path) + "?identifiers=email:ann@example.com"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(whole), base_url="http://test") as client:
        told = await client.request(method, asked, headers={"authorization": f"Bearer {min(RIGHTS[method, path])}"})
        assert (told.status_code, told.json()["errors"][0]["pointer"]) == (422, "/query/identifiers")
        assert (await client.request(method, asked)).status_code == 401


async def test_a_body_that_would_fill_the_memory_is_read_no_further(whole: FastAPI) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(BODY_MAX // 65_536 + 2):
            yield b" " * 65_536
        raise AssertionError("it was read to its end")

    transport = httpx.ASGITransport(whole)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"authorization": "Bearer operator"}) as client:
        told = await client.put("/v1/capacity/renewals", content=b" " * (BODY_MAX + 1), headers={"content-type": "application/json"})
        assert (told.status_code, told.json()["type"]) == (413, "urn:nextwave:problem:too-large")
        assert (await client.put("/v1/capacity/renewals", content=endless())).status_code == 413

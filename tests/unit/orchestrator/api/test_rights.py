"""Every route of the orchestrator is open to those whom this table names, and to nobody else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from http_routes import routes
from nextwave_orchestrator import app as root
from nextwave_orchestrator.settings import OrchestratorSettings
from nextwave_runtime.auth import ROLES
from pydantic import SecretStr
from unit.orchestrator.api.caller import Caller, keys_file

READ = frozenset({"viewer", "editor", "approver", "operator", "agent"})
WRITE = frozenset({"editor", "approver"})
APPROVE = frozenset({"approver"})
OPERATE = frozenset({"operator"})
STOP = WRITE | OPERATE
ANYBODY = frozenset(ROLES)
"""With a key."""
OPEN = {("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/docs/oauth2-redirect")}
"""Without a key: how the API is described."""
RIGHTS: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/v1/segments"): READ,
    ("GET", "/v1/segments/{key}"): READ,
    ("PUT", "/v1/segments/{key}"): WRITE,
    ("GET", "/v1/segments/{key}/members"): READ,
    ("POST", "/v1/segments/{key}:estimate"): READ,
    ("POST", "/v1/segments/{key}:explain"): READ,
    ("POST", "/v1/rules:import"): READ,
    ("GET", "/v1/templates"): READ,
    ("GET", "/v1/templates/{key}"): READ,
    ("PUT", "/v1/templates/{key}"): WRITE,
    ("POST", "/v1/templates/{key}:preview"): READ,
    ("POST", "/v1/templates/{key}:test-send"): WRITE,
    ("GET", "/v1/test-addresses"): READ,
    ("PUT", "/v1/test-addresses"): OPERATE,
    ("GET", "/v1/campaigns"): READ,
    ("GET", "/v1/campaigns/{key}"): READ,
    ("PUT", "/v1/campaigns/{key}"): WRITE,
    ("POST", "/v1/campaigns/{key}:lint"): READ,
    ("POST", "/v1/campaigns/{key}:try"): READ,
    ("POST", "/v1/campaigns/{key}:publish"): WRITE,
    ("POST", "/v1/campaigns/{key}:resume"): WRITE,
    ("POST", "/v1/campaigns/{key}:migrate"): WRITE,
    ("POST", "/v1/campaigns/{key}:pause"): STOP,
    ("POST", "/v1/campaigns/{key}:drain"): STOP,
    ("POST", "/v1/campaigns/{key}:end"): STOP,
    ("GET", "/v1/campaigns/{key}/versions"): READ,
    ("GET", "/v1/campaigns/{key}/versions/{version}"): READ,
    ("GET", "/v1/campaigns/{key}/versions/{version}:diff"): READ,
    ("GET", "/v1/campaigns/{key}/budget"): READ,
    ("GET", "/v1/campaigns/{key}/report"): ANYBODY,
    ("POST", "/v1/catalogue:plan"): READ,
    ("GET", "/v1/shipped"): READ,
    ("POST", "/v1/shipped:install"): WRITE,
    ("GET", "/v1/contact-rules"): READ,
    ("GET", "/v1/policy"): READ,
    ("PUT", "/v1/policy"): APPROVE,
    ("GET", "/v1/readiness"): READ,
    ("PUT", "/v1/readiness/{system}"): OPERATE,
    ("GET", "/v1/capacity"): READ,
    ("PUT", "/v1/capacity/{channel}"): OPERATE,
    ("DELETE", "/v1/capacity/{channel}"): OPERATE,
    ("PUT", "/v1/capacity/{channel}/{place}"): OPERATE,
    ("DELETE", "/v1/capacity/{channel}/{place}"): OPERATE,
    ("GET", "/v1/customers/{customer_id}/next-best-action"): ANYBODY,
    ("GET", "/v1/decisions"): ANYBODY,
    ("GET", "/v1/decisions/{decision_id}"): ANYBODY,
    ("POST", "/v1/decisions/{decision_id}:replay"): ANYBODY,
    ("GET", "/v1/reports"): ANYBODY,
    ("GET", "/v1/statistics"): ANYBODY,
    ("GET", "/v1/responses"): ANYBODY,
}


class AwayDatabase:
    """A database that nobody may reach here."""

    def __init__(self, _dsn: str) -> None:
        pass

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        raise OSError("away")
        yield

    def __getattr__(self, name: str) -> Any:
        return None


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """The application with all of its routes, as it is built to run."""
    monkeypatch.setattr(root, "Database", AwayDatabase)
    settings = OrchestratorSettings(keys_file=keys_file(tmp_path), identifier_key=SecretStr("k" * 32), postgres=SecretStr("nowhere"))
    app = root.build(settings).app
    assert isinstance(app, FastAPI)
    return app


def test_there_is_no_route_that_the_table_does_not_name(whole: FastAPI) -> None:
    assert set(routes(whole)) == set(RIGHTS) | OPEN


@pytest.mark.parametrize(("method", "path"), RIGHTS)
async def test_each_route_is_open_to_its_roles_alone(whole: FastAPI, method: str, path: str) -> None:
    transport = httpx.ASGITransport(whole, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        call = Caller(client)
        asked = re.sub(r"\{[^}]*\}", "1", path)
        answers = {role: (await call(role, method, asked)).status_code for role in ROLES}
        assert {role for role, status in answers.items() if status != 403} == RIGHTS[method, path]
        assert (await call("nobody", method, asked)).status_code == 401

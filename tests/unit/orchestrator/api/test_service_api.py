"""The agent's question and the shipped campaigns over HTTP: who may ask, what is answered, and that nothing of an owner's is replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from nextwave_orchestrator.api.inbound import inbound_router
from nextwave_orchestrator.state import CustomerState
from nextwave_runtime import problem
from nextwave_runtime.auth import ROLES, Key, KeyFile, Keyring, hash_secret
from unit.orchestrator.api.caller import NOW, Caller, FixedClock
from unit.orchestrator.decision_world import campaign, catalogue, snapshot, wave

STATES = {
    "c-1": CustomerState(customer_id="c-1", profile=snapshot(traits={"name": "Ann"})),
    "c-2": CustomerState(customer_id="c-2", absorbed_into="c-1"),
    "c-3": CustomerState(customer_id="c-3", absorbed_into="c-3"),
    "c-4": CustomerState(customer_id="c-4"),
}
PATH = "/v1/customers/c-1/next-best-action"


async def find(customer_id: str) -> CustomerState | None:
    return STATES.get(customer_id)


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Caller]:
    keys = tuple(Key(name=role, kind="api", hash=hash_secret(f"{role}-secret", "p"), roles=(role,)) for role in ROLES)
    (tmp_path / "keys.json").write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=keys)))
    app, rules = FastAPI(), catalogue(campaign("winter", wave("tell", "call")))
    app.include_router(inbound_router(find, lambda: rules, FixedClock(), Keyring(tmp_path / "keys.json")))
    problem.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield Caller(client)


async def test_the_agent_is_told_everything_in_one_answer(ask: Caller) -> None:
    told = (await ask("agent", "GET", f"{PATH}?channel=call&agent=a-7")).json()
    assert (told["customer_id"], told["who"]["name"], told["agent"], told["channel"]) == ("c-1", "Ann", "a-7", "call")
    assert told["at"] == NOW.isoformat().replace("+00:00", "Z")
    assert [offer["campaign"] for offer in told["offers"]] == ["winter"]
    assert told["record"]["accepted"]["winter"]["data"]["identifiers"] == ["external:nextwave:c-1"]


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_may_ask_and_only_agents_and_privacy_see_names(ask: Caller, role: str) -> None:
    told = await ask(role, "GET", PATH)
    assert told.status_code == 200
    assert (told.json()["who"]["name"] == "Ann") == (role in {"agent", "privacy"})


async def test_who_became_part_of_another_is_answered_with_the_other(ask: Caller) -> None:
    assert (await ask("agent", "GET", "/v1/customers/c-2/next-best-action")).json()["customer_id"] == "c-1"


@pytest.mark.parametrize("customer", ["nobody", "c-3", "c-4"])
async def test_a_customer_of_whom_nothing_is_known_is_not_found(ask: Caller, customer: str) -> None:
    told = await ask("agent", "GET", f"/v1/customers/{customer}/next-best-action")
    assert (told.status_code, told.json()["type"]) == (404, "urn:nextwave:problem:not-found")


async def test_without_a_token_nothing_is_told_and_a_channel_that_is_none_is_refused(ask: Caller) -> None:
    assert (await ask("nobody", "GET", PATH)).status_code == 401
    told = await ask("agent", "GET", f"{PATH}?channel=pigeon")
    assert (told.status_code, told.json()["errors"][0]["pointer"]) == (422, "/query/channel")


async def test_all_that_is_shipped_is_installed_as_drafts(call: Caller) -> None:
    told = (await call("editor", "POST", "/v1/shipped:install")).json()
    assert "campaigns/recovery-apology" in told["installed"]
    assert told["kept"] == []
    campaign_ = (await call("viewer", "GET", "/v1/campaigns/recovery-apology")).json()
    assert (campaign_["state"], campaign_["draft"]["purpose"]) == ("draft", "recovery")
    assert {one["state"] for one in (await call("viewer", "GET", "/v1/shipped")).json()["items"]} == {"as_shipped"}
    linted = (await call("viewer", "POST", "/v1/campaigns/recovery-assurance:lint")).json()
    assert (linted["publishable"], linted["findings"]) == (True, [])


async def test_what_an_owner_changed_is_kept_and_installing_again_changes_nothing(call: Caller) -> None:
    own = {"text": "We are truly sorry."}
    await call("editor", "PUT", "/v1/templates/recovery-apology", own)
    told = (await call("editor", "POST", "/v1/shipped:install", {"campaigns": ["recovery-apology"]})).json()
    assert told["kept"] == ["templates/recovery-apology"]
    assert sorted(told["installed"]) == ["campaigns/recovery-apology", "templates/recovery-apology-short", "templates/recovery-still-open"]
    assert (await call("viewer", "GET", "/v1/templates/recovery-apology")).json()["text"] == own["text"]
    again = (await call("editor", "POST", "/v1/shipped:install", {"campaigns": ["recovery-apology"]})).json()
    assert (again["installed"], len(again["kept"])) == ([], 4)
    states = {one["path"]: one["state"] for one in (await call("viewer", "GET", "/v1/shipped")).json()["items"]}
    assert (states["templates/recovery-apology"], states["campaigns/renewal"]) == ("changed", "absent")


async def test_only_editors_install_and_what_is_not_shipped_is_refused_by_name(call: Caller) -> None:
    assert (await call("agent", "POST", "/v1/shipped:install")).status_code == 403
    told = await call("editor", "POST", "/v1/shipped:install", {"campaigns": ["renewal", "renewl"]})
    assert (told.status_code, told.json()["errors"][0]["pointer"]) == (422, "/campaigns/1")

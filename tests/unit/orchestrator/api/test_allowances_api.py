"""Budgets are asked for, capacities are said in either form, readiness tells who said so; every mistake names its field and the fix."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_orchestrator.allowances import FOR_EVER, Holding
from nextwave_orchestrator.amounts import Used
from unit.orchestrator.api.caller import Caller
from unit.orchestrator.api.fake_store import PUBLISHED_AT, FakeStore


async def test_agents_and_the_time_of_a_call_mean_so_many_contacts_in_that_time(call: Caller, store: FakeStore) -> None:
    said = await call("operator", "PUT", "/v1/capacity/call/renewals", {"agents": 12, "handling": "6m"})
    assert (said.status_code, said.json()["contacts"], said.json()["per_seconds"]) == (200, 12, 360)
    await call("operator", "PUT", "/v1/capacity/sms", {"contacts": 600, "per": "1m"})
    listed = (await call("viewer", "GET", "/v1/capacity")).json()["items"]
    assert [(one["channel"], one["list"], one["contacts"], one["by"]) for one in listed] == [
        ("call", "renewals", 12, "operator"),
        ("sms", "", 600, "operator"),
    ]
    assert (await call("operator", "DELETE", "/v1/capacity/call/renewals")).status_code == 204
    assert (await call("operator", "DELETE", "/v1/capacity/call/renewals")).status_code == 404
    assert list(store.committed.used) == ["capacity/sms"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/contacts", "/per"]),
        ({"contacts": -1, "per": "1m"}, ["/contacts"]),
        ({"contacts": 1, "per": "8d"}, ["/per"]),
        ({"contacts": 1, "per": "soon"}, ["/per"]),
        ({"agents": 3}, ["/handling"]),
        ({"agents": 3, "handling": "6m", "contacts": 3}, ["/contacts"]),
        ({"contact": 3, "per": "1m"}, ["/contact"]),
    ],
)
async def test_a_wrong_capacity_is_refused_with_the_field_and_the_fix(call: Caller, body: dict[str, Any], pointers: list[str]) -> None:
    refused = await call("operator", "PUT", "/v1/capacity/sms", body)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == pointers
    assert all("; " in error["detail"] for error in refused.json()["errors"])


async def test_an_unknown_channel_is_named_with_those_that_there_are(call: Caller) -> None:
    refused = await call("operator", "PUT", "/v1/capacity/fax", {"contacts": 1, "per": "1m"})
    assert refused.status_code == 404
    assert "use one of email, sms" in refused.json()["detail"]


async def test_a_budget_shows_what_is_left_and_where_the_rest_lies(call: Caller, store: FakeStore) -> None:
    held = {0: Holding(taken=300, spent=200), 1: Holding(taken=100, spent=-50)}
    store.committed.used["budget/winter"] = Used("budget/winter", 1_000, FOR_EVER, "ann", PUBLISHED_AT, held)
    assert (await call("viewer", "GET", "/v1/campaigns/winter/budget")).json() == {
        "campaign": "winter",
        "amount": 1_000,
        "currency": "EUR",
        "spent": 150,
        "reserved": 250,
        "left": 850,
        "partitions": [{"partition": 0, "spent": 200, "reserved": 100}, {"partition": 1, "spent": -50, "reserved": 150}],
    }
    assert (await call("viewer", "GET", "/v1/campaigns/summer/budget")).status_code == 404


async def test_an_overspent_budget_has_nothing_left_and_an_unlimited_one_says_so(call: Caller, store: FakeStore) -> None:
    held = {0: Holding(taken=1_200, spent=1_200)}
    for amount, left, reserved in ((1_000, 0, 0), (None, None, None)):
        store.committed.used["budget/winter"] = Used("budget/winter", amount, FOR_EVER, "ann", PUBLISHED_AT, held)
        shown = (await call("viewer", "GET", "/v1/campaigns/winter/budget")).json()
        assert (shown["spent"], shown["left"], shown["reserved"]) == (1_200, left, reserved)


async def test_readiness_tells_who_said_so_and_since_when(call: Caller) -> None:
    await call("operator", "PUT", "/v1/readiness/payment", {"ready": False})
    assert (await call("viewer", "GET", "/v1/readiness")).json() == {
        "items": [{"system": "payment", "ready": False, "by": "operator", "since": "2026-11-22T12:00:00Z"}]
    }


@pytest.mark.parametrize("role", ["viewer", "editor", "approver", "agent"])
async def test_only_operators_say_what_a_channel_can_take(call: Caller, role: str) -> None:
    for method in ("PUT", "DELETE"):
        assert (await call(role, method, "/v1/capacity/sms", {"contacts": 1, "per": "1m"})).status_code == 403

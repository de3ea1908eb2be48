"""A campaign is tried on one customer: the same decisions as in earnest, step by step, and nothing is stored."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from nextwave_contracts.customers import Churn
from unit.orchestrator.api.caller import Caller
from unit.orchestrator.api.fake_store import FakeStore
from unit.orchestrator.campaigns.winter import WINTER
from unit.orchestrator.decision_world import snapshot

KEY = "/v1/campaigns/winter-renewal"
HOLDER = snapshot(churn=Churn(risk=0.1, band="low", horizon_days=90, model="m"), traits={"contract": "c-1"})
AT_RISK = replace(HOLDER, version=2, churn=Churn(risk=0.8, band="high", horizon_days=90, model="m"))


@pytest.fixture
async def drafted(call: Caller) -> Caller:
    rule = {"field": "traits.contract", "op": "exists"}
    await call("editor", "PUT", "/v1/segments/contract-holders", {"name": "c", "owner": "x", "rule": rule})
    for key in ("renew", "renew-top", "sorry"):
        await call("editor", "PUT", f"/v1/templates/{key}", {"subject": f"About {key}", "text": "Hello"})
    draft = WINTER.replace(b"holdout: 0.05", b"holdout: 0")
    assert (await call("editor", "PUT", KEY, draft, content_type="application/yaml")).status_code == 201
    return call


async def tried(call: Caller, *events: dict[str, Any], **more: Any) -> Any:
    answer = await call("viewer", "POST", f"{KEY}:try", {"profile": msgspec.to_builtins(HOLDER), "events": list(events), **more})
    return answer.json()


BECOMES_AT_RISK = {"at": "2026-06-15T10:00:00Z", "profile": msgspec.to_builtins(AT_RISK)}


async def test_what_would_happen_is_told_step_by_step(drafted: Caller, store: FakeStore) -> None:
    before = store.committed.revision
    told = await tried(drafted, {"at": "2026-06-15T09:00:00Z", "event": "page.viewed"}, BECOMES_AT_RISK)
    assert (told["version"], told["audience"]["holds"]) == ("draft", True)
    steps = [(step["kind"], step["wave"]) for step in told["steps"]]
    assert steps[:4] == [("enters", ""), ("decides", "tell"), ("contacts", "tell"), ("closes", "tell")]
    assert ("contacts", "call") in steps
    assert steps[-1] == ("ends", "")
    assert told["steps"][2]["text"] == "by email: About renew"
    assert (store.committed.revision, store.committed.announced) == (before, [])


async def test_an_outcome_is_that_of_the_contact_before_it(drafted: Caller) -> None:
    clicked = {"at": "2026-06-15T11:00:00Z", "event": "email.clicked"}
    told = await tried(drafted, BECOMES_AT_RISK, clicked)
    closed = [("closes", "with a response, the contact was missed"), ("withdraws", "responded"), ("ends", "responded")]
    assert [(step["kind"], step["text"]) for step in told["steps"]][-3:] == closed
    refused = await tried(drafted, BECOMES_AT_RISK, {"at": "2026-06-15T11:00:00Z", "outcome": "refused"})
    assert [(step["kind"], step["text"]) for step in refused["steps"]][-1] == ("ends", "suppressed")


async def test_whoever_does_not_enter_is_told_by_the_audience(drafted: Caller) -> None:
    stranger = msgspec.to_builtins(replace(HOLDER, traits={}))
    told = await tried(drafted, {"at": "2026-06-15T10:00:00Z", "event": "page.viewed"}, profile=stranger)
    assert (told["steps"], told["audience"]["holds"], told["audience"]["text"]) == ([], False, "traits.contract is known")


async def test_a_published_version_can_be_tried_too(drafted: Caller) -> None:
    assert (await drafted("viewer", "POST", f"{KEY}:try", {"profile": msgspec.to_builtins(HOLDER), "version": 1})).status_code == 404


@pytest.mark.parametrize(
    ("events", "more", "pointer"),
    [
        ([{"at": "2026-06-15T10:00:00Z"}], {}, "/events/0"),
        ([{"at": "2026-06-15T10:00:00Z", "event": "a", "outcome": "opened"}], {}, "/events/0"),
        ([{"at": "2026-06-15T10:00:00Z", "outcome": "opened"}], {}, "/events/0/outcome"),
        ([{"at": "2026-06-15T10:00:00", "event": "a"}], {}, "/events/0/at"),
        ([{"at": "2026-06-15T10:00:00Z", "event": "a"}], {"until": "2028-06-15T10:00:00Z"}, "/until"),
        ([{"at": "2026-06-15T10:00:00Z", "event": "a"}], {"until": "2025-06-15T10:00:00Z"}, "/until"),
        ([{"at": "2026-06-15T10:00:00Z", "event": "a"}] * 201, {}, "/events"),
        ([{"at": "2026-06-15T10:00:00Z", "outcome": "openedd"}], {}, "/events/0/outcome"),
        ([{"at": "9999-12-31T23:00:00Z", "event": "a"}], {}, "/events/0/at"),
        ([{"at": "0001-01-01T00:00:00Z", "event": "a"}], {}, "/events/0/at"),
        ([{"at": "2026-06-15T10:00:00Z", "event": "a"}], {"until": "9999-12-31T23:00:00Z"}, "/until"),
        ([], {"profile": msgspec.to_builtins(replace(HOLDER, customer_id="a/b"))}, "/profile/customer_id"),
        (
            [{"at": "2026-06-15T10:00:00Z", "profile": msgspec.to_builtins(replace(HOLDER, customer_id="d"))}],
            {},
            "/events/0/profile/customer_id",
        ),
    ],
)
async def test_a_trial_that_cannot_be_is_refused_at_its_place(drafted: Caller, events: Any, more: Any, pointer: str) -> None:
    told = await tried(drafted, *events, **more)
    assert [error["pointer"] for error in told["errors"]] == [pointer]


def scheduled(**when: Any) -> dict[str, Any]:
    """A campaign that lets everybody in by a schedule."""
    wave = {"key": "tell", "window": "1h", "mixes": [{"segment": "*", "channels": [{"channel": "email", "template": "renew"}]}]}
    goal = {"event": "order.placed", "within": "1d", "value": 12_000, "currency": "JPY"}
    entry = {"on": {"schedule": {"at": "2026-06-16T09:00", **when}}, "reentry": {"after": "1h"}}
    return {"owner": "care", "purpose": "care", "goal": goal, "entry": entry, "waves": [wave]}


@pytest.mark.parametrize(
    ("when", "entered"),
    [
        ({}, ["2026-06-16T07:00:00Z"]),
        ({"zone": "UTC"}, ["2026-06-16T09:00:00Z"]),
        ({"every": "day"}, [f"2026-06-{day}T07:00:00Z" for day in (16, 17, 18)]),
        ({"every": "week", "on": ["thu"], "zone": "UTC", "pace": 1}, ["2026-06-18T09:00:00Z"]),
    ],
)
async def test_a_schedule_lets_the_customer_in_at_each_of_its_times(drafted: Caller, when: Any, entered: list[str]) -> None:
    assert (await drafted("editor", "PUT", "/v1/campaigns/plan", scheduled(**when))).status_code == 201
    asked = {"profile": HOLDER, "events": [{"at": "2026-06-14T10:00:00Z", "event": "page.viewed"}], "until": "2026-06-18T12:00:00Z"}
    told = (await drafted("viewer", "POST", "/v1/campaigns/plan:try", asked)).json()
    assert [step["at"] for step in told["steps"] if step["kind"] == "enters"] == entered


async def test_without_an_end_a_trial_goes_on_until_the_next_time_of_the_schedule_is_over(drafted: Caller) -> None:
    await drafted("editor", "PUT", "/v1/campaigns/plan", scheduled())
    bought = [{"at": "2026-06-14T10:00:00Z", "event": "page.viewed"}, {"at": "2026-06-16T07:30:00Z", "event": "order.placed"}]
    told = (await drafted("viewer", "POST", "/v1/campaigns/plan:try", {"profile": HOLDER, "events": bought})).json()
    steps = {step["kind"]: step["text"] for step in told["steps"]}
    assert (steps["reaches_goal"], steps["ends"]) == ("worth 12000 JPY", "goal")
    told = (await drafted("viewer", "POST", "/v1/campaigns/plan:try", {"profile": HOLDER, "events": bought[:1]})).json()
    assert [step["kind"] for step in told["steps"]] == ["enters", "decides", "contacts", "closes", "ends"]
    words = (await drafted("viewer", "POST", "/v1/campaigns/plan:lint")).json()["words"]
    assert words[0].endswith("worth 12000 JPY.")

"""Call lists over HTTP, on the real PostgreSQL: calls are pulled once, reported, kept for longer, taken back, called back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from call_floor import bearer, call, open_door, pull, report, retractions, stop
from channel_contacts import DAY, HOUR, NOON
from channels_place import Place
from nextwave_channels import store
from nextwave_channels.claiming import settle_lapsed
from nextwave_runtime.auth import ROLES


@pytest.fixture
async def client(place: Place, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(place, tmp_path) as opened:
        yield opened


async def test_the_most_urgent_calls_are_pulled_once_with_all_that_it_takes_to_make_them(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("low"), call("high", value=99.0), call("owed", purpose="service", value=1.0), call("other", list="winback"))
    first, second = await pull(client, 2)
    assert [first["entry_id"], second["entry_id"]] == ["owed", "high"], "what is owed goes before what is offered"
    assert first.items() >= {"number": "+4915112345678", "script": "Offer the renewal.", "attempt": 1, "tries": 1}.items()
    assert datetime.fromisoformat(first["call_before"]) <= NOON + timedelta(seconds=301)
    assert [one["entry_id"] for one in await pull(client)] == ["low"]
    assert await pull(client) == []
    assert (await place.states())["other"] == "due"


async def test_nobody_is_handed_out_for_an_hour_at_which_they_must_not_be_called(place: Place, client: httpx.AsyncClient) -> None:
    place.clock.instant = NOON + 8 * HOUR - timedelta(minutes=2)
    await place.put(call("a"))
    (entry,) = await pull(client)
    assert datetime.fromisoformat(entry["call_before"]) == NOON + 8 * HOUR, "its hours end before its lease"
    place.clock.instant = NOON + 8 * HOUR
    await place.put(call("b"))
    assert await pull(client) == []
    assert await place.ask("select due_at from deliveries where action_id = 'b'") == [(NOON + DAY,)]


async def test_many_who_pull_at_once_never_get_the_same_call(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(*(call(f"c{n}") for n in range(20)))
    pulled = await asyncio.gather(*(pull(client, 4) for _ in range(6)))
    found = [one["entry_id"] for entries in pulled for one in entries]
    assert sorted(found) == sorted(f"c{n}" for n in range(20))


@pytest.mark.parametrize(
    ("result", "outcomes"),
    [
        ("answered", ["answered"]),
        ("no_answer", ["no_answer"]),
        ("abandoned", ["no_answer"]),
        ("busy", ["busy"]),
        ("refused", ["refused"]),
        ("failed", ["failed"]),
        ("connected", ["delivered"]),
        ("not_called", []),
    ],
)
async def test_each_result_is_an_outcome_however_often_it_is_reported(
    place: Place, client: httpx.AsyncClient, result: str, outcomes: list[str]
) -> None:
    await place.put(call("a"))
    await pull(client)
    states = {(await report(client, "a", result))["state"] for _ in range(2)}
    assert states == {outcomes[0] if outcomes else "due"}
    assert [o.kind for o in await place.outcomes()] == outcomes


async def test_a_call_that_was_not_made_may_be_pulled_again_and_the_report_of_before_is_of_no_use(
    place: Place, client: httpx.AsyncClient
) -> None:
    await place.put(call("a"))
    await pull(client)
    await report(client, "a", "not_called")
    await place.ask("update deliveries set held_until = '-infinity'")
    assert [one["attempt"] for one in await pull(client)] == [2]
    late = await report(client, "a", "not_called", attempt=1)
    assert (late["state"], "handed out again" in late["detail"]) == ("sending", True)
    assert (await report(client, "a", "busy", attempt=2))["state"] == "busy"


async def test_a_stop_is_a_retraction_at_once_and_its_confirmation_withdraws(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a"), call("b"), call("c"))
    await pull(client, 2)
    for name in ("hash-a", "hash-b", "hash-c"):
        await stop(place, name)
    assert await retractions(client) == [("a", "suppressed"), ("b", "suppressed")]
    assert (await place.states())["c"] == "withdrawn", "what nobody holds needs no word of anybody"
    assert (await report(client, "a", "not_called"))["state"] == "withdrawn"
    assert (await report(client, "b", "answered"))["state"] == "answered", "it was called before the retraction was read"
    assert await retractions(client) == []
    assert await pull(client) == []
    assert sorted((o.action_id, o.kind) for o in await place.outcomes()) == [("a", "withdrawn"), ("b", "answered"), ("c", "withdrawn")]


async def test_whoever_answers_may_say_stop_and_it_holds_for_all_their_calls(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a"), call("later", subjects=("hash-a",)), call("mail", channel="email", subjects=("hash-a",)))
    assert [one["entry_id"] for one in await pull(client, 1)] == ["a"]
    assert (await report(client, "a", "refused", stop=True))["state"] == "refused"
    assert await place.states() == {"a": "refused", "later": "withdrawn", "mail": "due"}


async def test_a_lease_that_ran_out_leaves_a_call_nobody_is_given_again(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a"))
    await pull(client)
    await place.ask("update deliveries set held_until = clock_timestamp() - interval '1 second'")
    assert await settle_lapsed(place.desk) == 1
    assert await pull(client) == []
    assert (await place.states())["a"] == "unknown"
    assert (await report(client, "a", "no_answer"))["state"] == "no_answer", "a late word still counts"


async def test_a_lease_is_extended_while_the_call_may_be_made(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a"), call("b"), call("c"))
    held = [{"entry_id": one["entry_id"], "attempt": one["attempt"]} for one in await pull(client, lease_seconds=10)]
    await stop(place, "hash-b")
    await report(client, "c", "answered")
    body = {"entries": [*held, {"entry_id": "a", "attempt": 7}], "lease_seconds": 900}
    answer = (await client.post("/v1/call-lists/renewals:extend", json=body, headers=bearer("agent"))).json()
    assert ([one["entry_id"] for one in answer["kept"]], answer["over"]) == (["a"], ["b", "c", "a"])
    left = await place.ask("select extract(epoch from held_until - clock_timestamp())::float from deliveries where action_id = 'a'")
    assert 800 < left[0][0] <= 900
    place.clock.instant = NOON + 8 * HOUR
    late = (await client.post("/v1/call-lists/renewals:extend", json={"entries": held[:1]}, headers=bearer("agent"))).json()
    assert late["over"] == ["a"], "its hours are over"


async def test_whoever_lost_an_answer_finds_their_calls_again(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a"), call("b"))
    await pull(client, 1)
    seen = {}
    for role in ("viewer", "agent", "colleague", "privacy"):
        for state in ("queued", "handed_out"):
            query = {"state": state}
            (row,) = (await client.get("/v1/call-lists/renewals/entries", params=query, headers=bearer(role))).json()["entries"]
            seen[role, state] = row["number"]
    opened, masked = "+4915112345678", "+4**********78"
    assert seen == {
        ("viewer", "queued"): masked,
        ("viewer", "handed_out"): masked,
        ("colleague", "queued"): masked,
        ("colleague", "handed_out"): masked,
        ("agent", "queued"): masked,
        ("agent", "handed_out"): opened,
        ("privacy", "queued"): opened,
        ("privacy", "handed_out"): opened,
    }


async def test_a_promised_call_back_is_due_at_its_hour_before_others_and_outlives_its_run(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a"))
    await pull(client)
    at = (NOON + 2 * HOUR).isoformat()
    kept = [await report(client, "a", "answered", callback_at=at) for _ in range(2)]
    assert kept[0] == kept[1]
    promise = kept[0]["callback"]
    assert [(o.action_id, o.kind) for o in await place.outcomes()] == [("a", "answered")]
    async with place.database.transaction() as connection:
        assert await store.lock_unsent(connection, runs=[("customer-a", "run-a")]) == [], "the run's end does not take it back"
    assert await pull(client) == [], "not before its hour"
    place.clock.instant = NOON + 2 * HOUR
    await place.put(call("b", value=999.0))
    assert [(one["entry_id"], one["purpose"]) for one in await pull(client)] == [(promise, "service"), ("b", "marketing")]
    stop = await report(client, "b", "refused", callback_at=(NOON + 3 * HOUR).isoformat(), stop=True)
    assert (stop["state"], stop["callback"]) == ("refused", "")


async def test_no_call_back_is_promised_for_an_hour_at_which_nobody_may_be_called(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("b"))
    await pull(client)
    night = await report(client, "b", "answered", callback_at=(NOON + 12 * HOUR).isoformat())
    assert (night["state"], night["callback"]) == ("answered", "")
    assert "call.wrapped_up" in night["detail"]


async def test_the_overview_counts_what_is_queued_and_what_became_of_the_rest(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a"), call("b"), call("c"), call("d", list="other"))
    await pull(client, 2)
    await report(client, "a", "busy")
    shown = (await client.get("/v1/call-lists/renewals", headers=bearer("viewer"))).json()
    assert shown == {"list": "renewals", "way": "pull", "states": {"queued": 1, "busy": 1, "sending": 1}, "capacity": None}


ROUTES = [
    ("POST", "/v1/call-lists/renewals:pull", {}, {"agent"}),
    ("POST", "/v1/call-lists/renewals:report", {"reports": [{"entry_id": "a", "attempt": 1, "result": "busy"}]}, {"agent"}),
    ("POST", "/v1/call-lists/renewals:extend", {"entries": [{"entry_id": "a", "attempt": 1}]}, {"agent"}),
    ("GET", "/v1/call-lists/renewals/retractions", None, {"agent"}),
    ("GET", "/v1/call-lists/renewals/entries", None, set(ROLES)),
    ("GET", "/v1/call-lists/renewals", None, set(ROLES)),
    ("GET", "/v1/capacity/renewals", None, set(ROLES)),
    ("PUT", "/v1/capacity/renewals", {"agents": 1}, {"operator"}),
    ("DELETE", "/v1/capacity/renewals", None, {"operator"}),
]


@pytest.mark.parametrize(("method", "path", "body", "may"), ROUTES)
async def test_every_route_lets_in_its_roles_and_no_others(
    client: httpx.AsyncClient, method: str, path: str, body: Any, may: set[str]
) -> None:
    statuses = {role: (await client.request(method, path, json=body, headers=bearer(role))).status_code for role in ROLES}
    assert {role for role, status in statuses.items() if status != 403} == may
    assert set(statuses.values()) <= {200, 204, 403, 404, 409}
    assert (await client.request(method, path, content=b"no json")).status_code == 401


async def test_the_table_of_roles_has_every_route(client: httpx.AsyncClient) -> None:
    documented = (await client.get("/openapi.json")).json()["paths"]
    shown = {(method.upper(), path.replace("{name}", "renewals")) for path, methods in documented.items() for method in methods}
    assert shown == {(method, path) for method, path, _, _ in ROUTES}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/call-lists/renewals:pull", {"limit": 0}, "/body/limit"),
        ("/v1/call-lists/renewals:pull", {"lease": 5}, "/body/lease"),
        ("/v1/call-lists/renewals:report", {"reports": [{"entry_id": "a", "attempt": 1, "result": "fine"}]}, "/body/reports/0/result"),
        (
            "/v1/call-lists/renewals:report",
            {"reports": [{"entry_id": "a", "attempt": 1, "result": "answered", "callback_at": "2026-03-02T14:00:00"}]},
            "/body/reports/0/callback_at",
        ),
    ],
)
async def test_a_request_that_cannot_be_meant_is_refused_by_field(client: httpx.AsyncClient, path: str, body: Any, pointer: str) -> None:
    answer = await client.post(path, json=body, headers=bearer("agent"))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)

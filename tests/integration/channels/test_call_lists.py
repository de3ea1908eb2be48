"""Call lists over HTTP, on the real PostgreSQL: calls are pulled once, reported, kept, called back; and leave as agents can take them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from channel_contacts import DAY, HOUR, NOON, a_contact
from channels_place import PARTITIONS, PATIENT_SECONDS, Place
from fastapi import FastAPI
from nextwave_channels import claiming, stopping, store
from nextwave_channels.call_lists import routes, table
from nextwave_channels.call_lists.limits import Limits
from nextwave_channels.call_lists.release import Release
from nextwave_channels.call_lists.routes import Floor
from nextwave_channels.call_lists.ways import Way, Ways
from nextwave_channels.claiming import Desk, settle_lapsed
from nextwave_channels.gate import Fact
from nextwave_channels.pacing import Pace
from nextwave_channels.store import Selection
from nextwave_contracts.actions import Contact, Content, Span
from nextwave_contracts.wire import encode
from nextwave_runtime import problem
from nextwave_runtime.auth import ROLES, Key, KeyFile, Keyring, hash_secret

WAYS = Ways(others="pull", named={"spoken": "twilio", "pushed": "dialler"})
PACE = Pace(concurrency=1, lease_seconds=300, fresh_seconds=PATIENT_SECONDS)


def call(action_id: str, **changes: Any) -> Contact:
    """To somebody of their own, on the list of renewals."""
    given = {
        "channel": "call",
        "list": "renewals",
        "address": "+4915112345678",
        "content": Content(text="Offer the renewal."),
        "customer_id": f"customer-{action_id}",
        "run_id": f"run-{action_id}",
        "subjects": (f"hash-{action_id}",),
        "address_subject": f"hash-{action_id}",
        "value": 10.0,
    }
    return a_contact(action_id=action_id, **{**given, **changes})


def desk_of(place: Place, way: Way = "pull") -> Desk:
    return replace(place.desk, calls=Release(WAYS, way, Limits(per_number=3, per_person=3)))


@pytest.fixture
async def client(place: Place, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    keys = tuple(Key(name=role, kind="api", hash=hash_secret(role, "p"), roles=(role,)) for role in ROLES)
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=keys)))
    app = FastAPI()
    problem.install(app)
    floor = Floor(desk=desk_of(place), ways=WAYS, keyring=Keyring(tmp_path / "keys.json"), fresh_seconds=PATIENT_SECONDS)
    app.include_router(routes.router(floor))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as opened:
        yield opened


def bearer(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {role}"}


async def pull(client: httpx.AsyncClient, limit: int = 10, name: str = "renewals", **more: Any) -> list[dict[str, Any]]:
    answer = await client.post(f"/v1/call-lists/{name}:pull", json={"limit": limit, **more}, headers=bearer("agent"))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


async def report(client: httpx.AsyncClient, entry_id: str, result: str, attempt: int = 1, **more: Any) -> dict[str, Any]:
    body = {"reports": [{"entry_id": entry_id, "attempt": attempt, "result": result, **more}]}
    answer = await client.post("/v1/call-lists/renewals:report", json=body, headers=bearer("agent"))
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json()["recorded"][0]
    return row


async def retractions(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    answer = await client.get("/v1/call-lists/renewals/retractions", headers=bearer("agent"))
    return [(one["entry_id"], one["reason"]) for one in answer.json()["retractions"]]


async def stop(place: Place, subject: str) -> None:
    fact = Fact(subject=subject, kind="opt", stopped=True, at=NOON)
    async with place.database.transaction() as connection:
        await stopping.record_facts(connection, [fact], NOON, PARTITIONS)


async def capacity(client: httpx.AsyncClient, agents: int, name: str = "renewals", **more: Any) -> dict[str, Any]:
    answer = await client.put(f"/v1/capacity/{name}", json={"agents": agents, **more}, headers=bearer("operator"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


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
    unknown = await report(client, "nobody", "busy")
    assert (unknown["state"], unknown["detail"]) == ("", "there is no such entry on this list")


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
    for role in ("viewer", "agent", "privacy"):
        for state in ("queued", "handed_out"):
            query = {"state": state}
            (row,) = (await client.get("/v1/call-lists/renewals/entries", params=query, headers=bearer(role))).json()["entries"]
            seen[role, state] = row["number"]
    opened, masked = "+4915112345678", "+4**********78"
    assert seen == {
        ("viewer", "queued"): masked,
        ("viewer", "handed_out"): masked,
        ("agent", "queued"): masked,
        ("agent", "handed_out"): opened,
        ("privacy", "queued"): opened,
        ("privacy", "handed_out"): opened,
    }


async def test_calls_are_pulled_only_from_lists_that_leave_so(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a", list="spoken"), call("b", list="pushed"), call("c"))
    for name in ("spoken", "pushed"):
        refused = await client.post(f"/v1/call-lists/{name}:pull", json={}, headers=bearer("agent"))
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:nextwave:problem:not-pulled")
    for way, its in (("twilio", "a"), ("dialler", "b")):
        desk = desk_of(place, way)  # type: ignore[arg-type]
        found = [await claiming.claim(desk, Selection("call"), 10, PACE) for _ in range(2)]
        assert [[one.contact.action_id for one in claimed or []] for claimed in found] == [[its], []]


async def test_calls_leave_as_agents_can_take_them_and_half_of_them_release_half(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(*(call(f"c{n:02}", value=float(n)) for n in range(30)))
    assert (await capacity(client, 4))["released"] == 4, "one for each agent, until something is known"
    assert [one["entry_id"] for one in await pull(client)] == ["c29", "c28", "c27", "c26"]
    assert await pull(client) == []
    assert (await capacity(client, 2))["released"] == 0
    await report(client, "c29", "no_answer")
    await report(client, "c28", "no_answer")
    await report(client, "c27", "connected")
    assert await pull(client) == [], "one talks, one still rings: two agents are not free"
    assert [one["entry_id"] for one in await pull(client, name="winback")] == []
    await report(client, "c26", "no_answer")
    assert [one["entry_id"] for one in await pull(client)] == ["c25"]
    assert (await capacity(client, 0))["lines"] == 0
    await report(client, "c25", "busy")
    assert await pull(client) == []
    assert (await client.delete("/v1/capacity/renewals", headers=bearer("operator"))).status_code == 204
    assert len(await pull(client, 30)) == 25


async def test_what_is_reported_teaches_the_release(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(*(call(f"c{n}") for n in range(40)))
    await pull(client, 40)
    for n in range(40):
        result = "abandoned" if n == 0 else "answered" if n < 5 else "no_answer"
        await report(client, f"c{n}", result, **({"talk_seconds": 60} if result == "answered" else {}))
    assert (await capacity(client, 10))["learned"]["calls"] == 0, "too fresh: those that are picked up are heard of first"
    place.clock.instant = NOON + timedelta(minutes=1)
    now = (await client.get("/v1/capacity/renewals", headers=bearer("viewer"))).json()
    assert now["learned"].items() >= {"calls": 40, "picked_up": 5, "abandoned": 1}.items()
    assert 0.1 < now["learned"]["answer_rate"] < 0.3
    assert now["learned"]["handling_seconds"] == pytest.approx((20 * 180 + 4 * 60) / 24)
    assert now["learned"]["abandon_target"] < 0.03
    assert (now["talking"], now["ringing"]) == (0, 0)
    assert now["released"] > 10


async def test_the_agents_of_a_list_limit_every_way_and_all_replicas_at_once(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(*(call(f"s{n}", list="spoken") for n in range(20)), *(call(f"t{n}", list="other") for n in range(3)))
    await capacity(client, 5, "spoken")
    claims = await asyncio.gather(*(claiming.claim(desk_of(place, "twilio"), Selection("call"), 4, PACE) for _ in range(6)))
    assert len([one for claimed in claims for one in claimed or []]) == 5
    assert len(await pull(client, name="other")) == 3


async def test_a_number_is_called_so_often_a_day_over_all_lists_and_a_call_not_made_does_not_count(
    place: Place, client: httpx.AsyncClient
) -> None:
    same = {"address_subject": "hash-house", "subjects": ("hash-house",)}
    await place.put(*(call(f"c{n}", **same, list=name, campaign=name) for n, name in enumerate(("renewals", "winback", "care", "more"))))
    assert len(await pull(client)) == 1
    await report(client, "c0", "not_called")
    assert [len(await pull(client, name=name)) for name in ("winback", "care", "more")] == [1, 1, 1]
    await place.ask("update deliveries set held_until = '-infinity' where action_id = 'c0'")
    assert await pull(client) == []
    assert await place.ask("select state, due_at from deliveries where action_id = 'c0'") == [("due", NOON + DAY)]


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
    assert set(statuses.values()) <= {200, 204, 403, 404}
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


async def test_calls_begun_long_ago_are_forgotten(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("old"))
    await pull(client)
    place.clock.instant = NOON + table.KEPT + timedelta(minutes=1)
    later = place.clock.instant
    await place.put(call("new", permitted=(Span(start=later - HOUR, end=later + HOUR),), not_after=later + DAY))
    await pull(client)
    assert await place.ask("select action_id from call_attempts") == [("new",)]

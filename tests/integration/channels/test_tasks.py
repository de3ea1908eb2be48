"""Visits as tasks over HTTP, on the real PostgreSQL: found, claimed once, reported, given back, and taken away by a stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from channel_contacts import DAY, HOUR, NOON, a_contact
from channels_place import PARTITIONS, PATIENT_SECONDS, Place
from fastapi import FastAPI
from nextwave_channels import claiming, facts, stopping, store
from nextwave_channels.gate import Fact
from nextwave_channels.horizon import Horizon
from nextwave_channels.pacing import Pace
from nextwave_channels.tasks import routes
from nextwave_channels.tasks.work import Team
from nextwave_contracts.actions import Contact, Content
from nextwave_contracts.wire import encode
from nextwave_runtime import problem
from nextwave_runtime.auth import ROLES, Key, KeyFile, Keyring, hash_secret

PACE = Pace(concurrency=1, fresh_seconds=PATIENT_SECONDS)
AGENTS = ("ben", "cem")


def visit(action_id: str, **changes: Any) -> Contact:
    content = Content(text="Bring the new catalogue", subject="A visit")
    given = {"channel": "visit", "list": "north", "address": "customer:customer-1", "content": content, "value": 10.0}
    return a_contact(action_id=action_id, **{**given, **changes})


@pytest.fixture
async def open_door(place: Place, tmp_path: Path) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    people = {**dict.fromkeys(AGENTS, "agent"), **{role: role for role in ROLES}}
    keys = tuple(Key(name=name, kind="api", hash=hash_secret(name, "p"), roles=(role,)) for name, role in people.items())
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=keys)))
    opened: list[httpx.AsyncClient] = []

    def door(pace: Pace = PACE) -> httpx.AsyncClient:
        app = FastAPI()
        problem.install(app)
        app.include_router(routes.router(Team(place.desk, timedelta(days=3), pace), Keyring(tmp_path / "keys.json")))
        opened.append(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside"))
        return opened[-1]

    yield door
    for client in opened:
        await client.aclose()


@pytest.fixture
def client(open_door: Callable[..., httpx.AsyncClient]) -> httpx.AsyncClient:
    return open_door()


async def say(client: httpx.AsyncClient, who: str, what: str, **body: Any) -> httpx.Response:
    """`what` is `a1:claim`."""
    return await client.post(f"/v1/tasks/{what}", headers={"authorization": f"Bearer {who}"}, json=body)


async def tasks(client: httpx.AsyncClient, who: str, state: str = "open", **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/tasks", params={"state": state, **query}, headers={"authorization": f"Bearer {who}"})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["tasks"]
    return found


async def stop(place: Place, **changes: Any) -> None:
    fact = Fact(**{"subject": "hash-ann-id", "kind": "opt", "channel": "", "stopped": True, "at": NOON, **changes})
    async with place.database.transaction() as connection:
        await stopping.record_facts(connection, [fact], NOON, PARTITIONS)


async def test_a_task_is_found_claimed_and_reported(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(visit("a1"), visit("a2", value=99.0), visit("a3", list="south"), a_contact(action_id="mail"))
    found = await tasks(client, "ben", team="north")
    assert [(one["action_id"], one["stand"]) for one in found] == [("a2", "open"), ("a1", "open")]
    taken = (await say(client, "ben", "a2:claim")).json()
    assert (taken["stand"], taken["text"], taken["held_by"]) == ("held", "Bring the new catalogue", "ben")
    assert taken["held_until"] == (NOON + 2 * DAY).isoformat().replace("+00:00", "Z"), "no longer than the visit may be made"
    assert [one["action_id"] for one in await tasks(client, "ben", "mine")] == ["a2"]
    said = await say(client, "ben", "a2:complete", result="reached", note="Ann wants a quote", next_step="call on Friday")
    assert (said.status_code, said.json()["stand"], said.json()["result"]) == (200, "done", "reached")
    assert [(o.action_id, o.kind, o.taken, o.cost) for o in await place.outcomes()] == [("a2", "answered", True, 3)]
    assert "Ann" not in str(await place.outcomes())
    assert await tasks(client, "ben", "mine") == []
    assert [one["action_id"] for one in await tasks(client, "ben", "open")] == ["a1", "a3"]


@pytest.mark.parametrize(("result", "outcome"), [("not_met", "no_answer"), ("refused", "refused")])
async def test_each_result_is_an_outcome(place: Place, client: httpx.AsyncClient, result: str, outcome: str) -> None:
    await place.put(visit("a1"))
    await say(client, "ben", "a1:claim")
    assert (await say(client, "ben", "a1:complete", result=result)).status_code == 200
    assert [o.kind for o in await place.outcomes()] == [outcome]


async def test_of_many_who_come_for_a_task_at_once_one_has_it(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(visit("a1"))
    answers = await asyncio.gather(*(say(client, name, "a1:claim") for name in AGENTS * 3))
    winners = {answer.json()["held_by"] for answer in answers if answer.status_code == 200}
    assert len(winners) == 1
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert await place.ask("select count(*) from tasks") == [(1,)]
    (winner,) = winners
    again = await say(client, winner, "a1:claim")
    assert (again.status_code, again.json()["held_by"]) == (200, winner), "who lost the answer asks again"
    assert await place.ask("select attempt from deliveries") == [(1,)]


async def test_a_task_given_back_may_be_claimed_again_and_a_retracted_one_is_over(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(visit("a1"))
    await say(client, "ben", "a1:claim")
    assert [(await say(client, "ben", "a1:release", note="ill")).json()["stand"] for _ in range(2)] == ["open", "open"]
    refused = await say(client, "cem", "a1:claim")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:nextwave:problem:not-open"), "it waits a moment"
    await place.ask("update deliveries set held_until = '-infinity'")
    assert (await say(client, "cem", "a1:claim")).json()["held_by"] == "cem"
    assert (await say(client, "ben", "a1:complete", result="reached")).status_code == 409
    await stop(place)
    (mine,) = await tasks(client, "cem", "mine")
    assert (mine["stand"], mine["withdrawn_because"]) == ("retracted", "suppressed")
    assert (await say(client, "cem", "a1:release")).json()["stand"] == "over"
    assert await place.states() == {"a1": "withdrawn"}
    assert [o.kind for o in await place.outcomes()] == ["withdrawn"]


async def test_a_stop_takes_away_what_nobody_has_claimed(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(visit("a1"))
    await stop(place)
    assert await tasks(client, "ben") == []
    gone = await say(client, "ben", "a1:claim")
    assert (gone.status_code, "suppressed" in gone.json()["detail"]) == (409, True)


async def test_what_the_gate_forbids_now_is_not_listed_though_it_is_still_queued(place: Place, client: httpx.AsyncClient) -> None:
    late = visit("a4", permitted=(visit("x").permitted[1],))
    await place.put(visit("a1"), visit("a2", campaign="stopped"), visit("a3", not_after=NOON - HOUR), late)
    async with place.database.transaction() as connection:
        await facts.put_campaigns(connection, {"stopped": (NOON, True)})
    assert [one["action_id"] for one in await tasks(client, "ben")] == ["a1"]
    refused = await say(client, "ben", "a4:claim")
    assert (refused.status_code, (NOON + DAY).isoformat() in refused.json()["detail"]) == (409, True)
    assert (await place.states())["a4"] == "due"


async def test_a_stop_that_was_accepted_but_not_read_keeps_every_task_where_it_is(
    place: Place, open_door: Callable[..., httpx.AsyncClient]
) -> None:
    async def one_more() -> Horizon:
        return Horizon(place.monotonic(), {0: 1})

    await place.put(visit("a1"))
    place.horizon = one_more
    answer = await say(open_door(Pace(concurrency=1, fresh_seconds=0.4)), "ben", "a1:claim")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (await place.states(), await place.ask("select count(*) from tasks")) == ({"a1": "due"}, [(0,)])


async def test_a_claim_that_came_too_late_to_be_handed_out_is_given_back(place: Place, open_door: Callable[..., httpx.AsyncClient]) -> None:
    ticks = iter([0.0, 0.1, 99.0])
    place.monotonic = lambda: next(ticks, 99.0)
    await place.put(visit("a1"))
    answer = await say(open_door(), "ben", "a1:claim")
    assert answer.status_code == 503
    assert await place.states() == {"a1": "due"}
    assert await tasks(open_door(), "ben", "mine") == []


async def test_a_task_held_too_long_is_unknown_and_a_late_report_still_counts(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(visit("a1"))
    await say(client, "ben", "a1:claim")
    await place.ask("update deliveries set held_until = clock_timestamp()")
    assert await claiming.settle_lapsed(place.desk) == 1
    assert [one["stand"] for one in await tasks(client, "ben", "mine")] == ["overdue"]
    assert (await say(client, "cem", "a1:claim")).status_code == 409, "it is never handed out again"
    assert (await say(client, "ben", "a1:complete", result="reached")).json()["stand"] == "done"
    assert await place.states() == {"a1": "answered"}


async def test_a_report_counts_once_and_may_end_all_visits(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(visit("a1"), visit("a2", campaign="other"), a_contact(action_id="mail"))
    await say(client, "ben", "a1:claim")
    first = {"result": "refused", "stop": True}
    assert [(await say(client, "ben", "a1:complete", **first)).status_code for _ in range(2)] == [200, 200]
    assert (await say(client, "ben", "a1:complete", result="reached")).status_code == 409
    assert await place.states() == {"a1": "refused", "a2": "withdrawn", "mail": "due"}
    assert sorted((o.action_id, o.kind) for o in await place.outcomes()) == [("a1", "refused"), ("a2", "withdrawn")]


async def test_a_stop_counts_though_the_visit_was_reported_or_is_anothers(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(visit("a1"), visit("a2", campaign="other"), visit("b1", subjects=("hash-b",)), visit("b2", subjects=("hash-b",)))
    await say(client, "ben", "a1:claim")
    assert (await say(client, "ben", "a1:complete", result="reached")).status_code == 200
    assert (await say(client, "ben", "a1:complete", result="reached", stop=True)).status_code == 200
    assert await place.states() == {"a1": "answered", "a2": "withdrawn", "b1": "due", "b2": "due"}
    await say(client, "ben", "b1:claim")
    assert (await say(client, "cem", "b1:complete", result="refused", stop=True)).status_code == 409
    assert (await place.states())["b2"] == "withdrawn"


async def test_what_is_said_and_noted_is_shown_to_whom_it_concerns(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(visit("a1"), visit("a2"))
    assert {(one["text"], one["subject"]) for one in await tasks(client, "ben")} == {(None, None)}
    await say(client, "ben", "a1:claim")
    await say(client, "ben", "a1:complete", result="reached", note="Ann is moving")
    shown = {who: (await tasks(client, who, "done"))[0]["note"] for who in ("ben", "cem", "privacy", "operator", "viewer")}
    assert shown == {"ben": "Ann is moving", "cem": None, "privacy": "Ann is moving", "operator": None, "viewer": None}


async def test_pages_lead_through_all_tasks(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(*(visit(f"a{n}", value=float(n % 3), purpose=("marketing", "service")[n % 2]) for n in range(7)))
    found: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        answer = (await client.get("/v1/tasks", params=query, headers={"authorization": "Bearer ben"})).json()
        found += [one["action_id"] for one in answer["tasks"]]
        if answer["cursor"] is None:
            break
        query["cursor"] = answer["cursor"]
    assert found == ["a5", "a1", "a3", "a2", "a4", "a0", "a6"]
    for name in found:
        await say(client, "ben", f"{name}:claim")
    assert len(await tasks(client, "ben", "mine")) == 7
    bad = await client.get("/v1/tasks?cursor=!", headers={"authorization": "Bearer ben"})
    assert (bad.status_code, bad.json()["type"]) == (400, "urn:nextwave:problem:invalid-cursor")


async def test_only_agents_work_on_tasks_and_what_is_no_visit_is_no_task(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(visit("a1"), a_contact(action_id="mail"))
    for verb, body in (("claim", {}), ("complete", {"result": "reached"}), ("release", {})):
        answers = {role: (await say(client, role, f"a1:{verb}", **body)).status_code for role in ROLES if role != "agent"}
        assert set(answers.values()) == {403}
        assert (await client.post(f"/v1/tasks/a1:{verb}")).status_code == 401
        assert (await say(client, "ben", f"mail:{verb}", **body)).status_code == 404
    for role in ROLES:
        assert (await client.get("/v1/tasks", headers={"authorization": f"Bearer {role}"})).status_code == 200
    assert (await client.get("/v1/tasks")).status_code == 401
    wrong = await say(client, "ben", "a1:complete", result="maybe", notes="x")
    assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:nextwave:problem:invalid-request")
    async with place.database.transaction() as connection:
        assert await store.find(connection, "a1") is not None

"""States and decisions on the real PostgreSQL, and the questions that people ask of them over HTTP."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.masking import MASK
from nextwave_contracts.topics import CUSTOMERS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_orchestrator import store
from nextwave_orchestrator.api.decisions import decisions_router
from nextwave_orchestrator.campaigns.definition import Policy
from nextwave_orchestrator.candidate import GateInput
from nextwave_orchestrator.fold import Decider, Unit
from nextwave_runtime import problem
from nextwave_runtime.application import Taken, Timer, Work
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from nextwave_runtime.timers import Gates, take_due
from sqlalchemy import text
from stack import Stack
from unit.orchestrator.decision_world import MONDAY_NOON, campaign, catalogue, snapshot, wave

RULES = catalogue(
    campaign("a", wave("tell", "email"), wave("call", "call", enter={"after": "tell", "unless": "responded"})),
    campaign("b", wave("tell", "sms")),
    policy=Policy(),
)
DECIDER = Decider(lambda: RULES)
PEOPLE = 12


@pytest.fixture(scope="module")
async def database(stack: Stack) -> AsyncIterator[Database]:
    """Migrated, with one batch taken in: a cart for each of the people."""
    dsn = await stack.create_database("decisions")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    database = Database(dsn)
    await _batch(database, [_cart(n) for n in range(PEOPLE)], [])
    yield database
    await database.close()


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An API with a viewer, who asks, and an agent."""
    keys = tmp_path / "keys.json"
    key = Key(name="vera", kind="api", hash=hash_secret("secret", "p"), roles=("viewer",))
    agent = Key(name="anna", kind="api", hash=hash_secret("other", "p"), roles=("agent",))
    keys.write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=(key, agent))))
    app = FastAPI()
    app.include_router(decisions_router(database, Keyring(keys)))
    problem.install(app)
    headers = {"authorization": "Bearer secret"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://orchestrator", headers=headers) as client:
        yield client


def _cart(number: int) -> Taken:
    profile = snapshot(customer_id=f"c-{number}")
    at = MONDAY_NOON + timedelta(seconds=number)
    touchpoint = Touchpoint(
        id=f"t{number}", source="shop", type="cart.updated", identifiers=("email:a@b.de",), occurred_at=at, received_at=at
    )
    message = CustomerUpdated(customer_id=profile.customer_id, at=at, touchpoint=touchpoint, profile=profile)
    return Taken(CUSTOMERS, 0, number, at, message)


async def _batch(database: Database, taken: list[Taken], timers: list[Timer]) -> Unit:
    now = max([t.at for t in taken] + [t.due_at for t in timers])
    async with database.transaction() as connection:
        unit = await DECIDER.load(connection, Work(CUSTOMERS, 0, 1, now, taken, timers))
        items: list[Taken | Timer] = [*taken, *timers]
        for item in items:
            list(DECIDER.fold(unit, item, now))
        await DECIDER.save(connection, unit)
    return unit


async def test_what_was_saved_is_loaded_again_and_the_timers_of_runs_are_set(database: Database) -> None:
    work = Work(CUSTOMERS, 0, 1, MONDAY_NOON, [_cart(n) for n in range(PEOPLE)], [])
    async with database.transaction() as connection:
        unit = await DECIDER.load(connection, work)
        far = MONDAY_NOON + timedelta(days=9)
        due = await take_due(connection, 0, Gates(far, far), 500)
        await connection.rollback()
    assert sorted(unit.states) == sorted(f"c-{n}" for n in range(PEOPLE))
    assert {len(state.runs) for state in unit.states.values()} == {2}
    assert {(timer.kind, timer.gate) for timer in due} == {("close", "watermark"), ("retry", "clock")}
    assert len([timer for timer in due if timer.kind == "close"]) == 2 * PEOPLE


async def test_a_repeated_batch_writes_no_decision_twice(database: Database, client: httpx.AsyncClient) -> None:
    before = (await client.get("/v1/decisions")).json()
    async with database.transaction() as connection:
        unit = Unit(0, 1)
        for n in range(PEOPLE):
            list(DECIDER.fold(unit, _cart(n), MONDAY_NOON + timedelta(seconds=PEOPLE - 1)))
        await DECIDER.save(connection, unit)
    assert len(before["items"]) == 2 * PEOPLE
    assert (await client.get("/v1/decisions")).json() == before


async def test_decisions_are_listed_newest_first_page_by_page_without_gap_or_repetition(client: httpx.AsyncClient) -> None:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = (await client.get("/v1/decisions", params={"limit": 7} | ({"cursor": cursor} if cursor else {}))).json()
        found += [decision["decision_id"] for decision in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 2 * PEOPLE


async def test_decisions_are_found_by_customer_campaign_code_and_time(client: httpx.AsyncClient) -> None:
    async def ask(**params: str) -> list[tuple[str, str, str]]:
        answer = await client.get("/v1/decisions", params=params)
        assert answer.status_code == 200, answer.text
        return sorted((d["customer_id"], d["campaign"], d["reason"]) for d in answer.json()["items"])

    assert await ask(customer="c-3") == [("c-3", "a", "outranked"), ("c-3", "b", "permitted")]
    assert len(await ask(campaign="a")) == PEOPLE
    assert await ask(code="outranked") == sorted((f"c-{n}", "a", "outranked") for n in range(PEOPLE))
    assert await ask(since="2026-06-16T00:00:00Z") == []
    assert await ask(customer="nobody") == []


QUESTIONS: list[tuple[dict[str, Any], str]] = [
    ({"campaign": "none"}, "decisions_by_campaign"),
    ({"campaign": "c7", "before": (MONDAY_NOON, "x")}, "decisions_by_campaign"),
    ({"code": "no_consent"}, "decisions_by_reason"),
    ({"customer": "c-3"}, "decisions_by_customer"),
    ({}, "decisions_by_time"),
]


async def test_every_question_is_answered_by_an_index_of_its_own(stack: Stack) -> None:
    dsn = await stack.create_database("finding")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    database = Database(dsn)
    many = (
        "insert into decisions select md5(n::text), 'c-' || n, 'c' || n % 50, 'w', '*', 'email', 'act', 'r' || n % 20,"
        " timestamptz '2026-06-01' + n * interval '1 second', '', '' from generate_series(1, 20000) n"
    )
    async with database.connection() as connection:
        await connection.exec_driver_sql(many)
        await connection.exec_driver_sql("analyze decisions")
        for asked, index in QUESTIONS:
            question, bound = store.written(store.Question(**asked))
            plan = "\n".join((await connection.execute(text("explain " + question), bound)).scalars())
            assert f"using {index}" in plan, plan
    await database.close()


async def test_the_address_in_a_decisions_input_is_shown_to_who_needs_addresses_alone(client: httpx.AsyncClient) -> None:
    (decision,) = (await client.get("/v1/decisions", params={"customer": "c-3", "campaign": "b"})).json()["items"]
    path = f"/v1/decisions/{decision['decision_id']}"
    told = [(await client.get(path, headers=headers)).json() for headers in ({}, {"authorization": "Bearer other"})]
    assert [[offer["address"] for offer in one["input"]["offers"]] for one in told] == [[MASK], ["+4915112345678"]]


async def test_a_cursor_that_names_no_instant_is_refused(client: httpx.AsyncClient) -> None:
    for place in ("2026-06-15T12:00:00|d", "x|d", "2026-06-15T12:00:00+00:00|a\0b"):
        refused = await client.get("/v1/decisions", params={"cursor": urlsafe_b64encode(place.encode()).decode()})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/cursor")


async def test_a_decision_tells_its_input_and_runs_again_to_the_same_answer(client: httpx.AsyncClient) -> None:
    for decision in (await client.get("/v1/decisions")).json()["items"]:
        one = (await client.get(f"/v1/decisions/{decision['decision_id']}")).json()
        assert one["decision"] == decision
        assert one["input"]["run_id"] == decision["run_id"]
        again = (await client.post(f"/v1/decisions/{decision['decision_id']}:replay")).json()
        assert again["same"], again


async def test_a_replay_shows_when_the_gate_answers_differently(database: Database, client: httpx.AsyncClient) -> None:
    (decision,) = (await client.get("/v1/decisions", params={"campaign": "b", "limit": 1})).json()["items"]
    bound = {"id": decision["decision_id"]}
    async with database.transaction() as connection:
        stored = (await connection.execute(text("select given from decisions where decision_id = :id"), bound)).scalar_one()
        given = msgspec.structs.replace(msgspec.msgpack.decode(stored, type=GateInput), unsatisfied=True)
        change = text("update decisions set given = :given where decision_id = :id")
        await connection.execute(change, bound | {"given": msgspec.msgpack.encode(given)})
    again = (await client.post(f"/v1/decisions/{decision['decision_id']}:replay")).json()
    async with database.transaction() as connection:
        await connection.execute(change, bound | {"given": stored})
    assert not again["same"]
    assert (again["before"]["reason"], again["again"]["reason"]) == ("permitted", "unsatisfied")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/decisions?cursor=rubbish", 422),
        ("/v1/decisions?cursor=YWJj", 422),
        ("/v1/decisions?limit=100000", 422),
        ("/v1/decisions?code=because", 422),
        ("/v1/decisions?since=yesterday", 422),
        ("/v1/decisions/none", 404),
    ],
)
async def test_wrong_questions_get_a_problem_that_says_what_is_wrong(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_nobody_reads_decisions_without_a_key(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/decisions", headers={"authorization": "Bearer wrong"})).status_code == 401

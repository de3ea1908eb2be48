"""Books and counts of answers on the real PostgreSQL, written by two partitions' owners, and what people ask of them over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import CUSTOMERS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_orchestrator.api import reports
from nextwave_orchestrator.api.reports import reports_router
from nextwave_orchestrator.campaigns.definition import Policy
from nextwave_orchestrator.fold import Decider
from nextwave_orchestrator.reports import ledger
from nextwave_orchestrator.reports.numbers import numbers
from nextwave_orchestrator.responses import table
from nextwave_orchestrator.responses.counting import WEEK, week_of
from nextwave_orchestrator.responses.learning import Learning
from nextwave_orchestrator.responses.rates import Cell, Seen
from nextwave_runtime import problem
from nextwave_runtime.application import Taken, Work
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from stack import Stack
from unit.orchestrator.decision_world import MONDAY_NOON, campaign, catalogue, snapshot, wave

POLICY = Policy(loading_share=0.25)
RULES = catalogue(
    campaign("a", wave("tell", "call"), wave("call", "call", enter={"after": "tell", "unless": "responded"}), strategy="realtime"),
    campaign("b", wave("tell", "sms"), owner="sales"),
    policy=POLICY,
)
DECIDER = Decider(lambda: RULES)
PEOPLE = 12
RENEWING = 5


class FixedClock:
    """Shows what it is set to."""

    def __init__(self, at: datetime) -> None:
        self.instant = at

    def now(self) -> datetime:
        return self.instant


def happened(number: int, at: datetime, **what: Any) -> Taken:
    """Something of a customer; even ones are in partition 0."""
    message = CustomerUpdated(customer_id=f"c-{number}", at=at, profile=snapshot(customer_id=f"c-{number}"), **what)
    return Taken(CUSTOMERS, number % 2, number, at, message)


def touched(number: int, kind: str, at: datetime) -> Taken:
    """A touchpoint."""
    point = Touchpoint(id=f"{kind}{number}", source="shop", type=kind, identifiers=("email:a@b.de",), occurred_at=at, received_at=at)
    return happened(number, at, touchpoint=point)


def accepted(number: int, contact: Contact, at: datetime) -> Taken:
    """The provider took the contact."""
    names = ("action_id", "customer_id", "campaign", "version", "wave", "run_id", "channel", "segment", "cost")
    told = Outcome(id=f"o{number}", kind="answered", at=at, taken=True, **{name: getattr(contact, name) for name in names})
    return happened(number, at, outcome=told)


async def take(database: Database, items: list[Taken]) -> list[Any]:
    """Takes messages in, each partition's in a transaction of its own; what was said."""
    said: list[Any] = []
    for partition in (0, 1):
        batch = [item for item in items if item.partition == partition]
        now = max(item.at for item in batch)
        async with database.transaction() as connection:
            unit = await DECIDER.load(connection, Work(CUSTOMERS, partition, 2, now, batch, []))
            said += [outgoing.message for item in batch for outgoing in DECIDER.fold(unit, item, now)]
            await DECIDER.save(connection, unit)
    return said


@pytest.fixture(scope="module")
async def database(stack: Stack) -> AsyncIterator[Database]:
    """Migrated; everybody had a cart and a call, and some renewed the day after."""
    dsn = await stack.create_database("reports")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    database = Database(dsn)
    said = await take(database, [touched(n, "cart.updated", MONDAY_NOON) for n in range(PEOPLE)])
    contacts = [message for message in said if isinstance(message, Contact)]
    assert len(contacts) == PEOPLE
    await take(database, [accepted(int(c.customer_id[2:]), c, MONDAY_NOON + timedelta(minutes=1)) for c in contacts])
    await take(database, [touched(n, "contract.renewed", MONDAY_NOON + timedelta(days=1)) for n in range(RENEWING)])
    yield database
    await database.close()


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An API with one viewer, whose catalogue has learned what was counted."""
    keys = tmp_path / "keys.json"
    key = Key(name="vera", kind="api", hash=hash_secret("secret", "p"), roles=("viewer",))
    keys.write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=(key,))))
    learned = replace(RULES, responses=await Learning(database, FixedClock(MONDAY_NOON + timedelta(days=1))).read(POLICY))  # type: ignore[arg-type]  # of the clock only now
    app = FastAPI()
    app.include_router(reports_router(database, Keyring(keys), lambda: learned))
    problem.install(app)
    headers = {"authorization": "Bearer secret"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://orchestrator", headers=headers) as client:
        yield client


async def test_statistics_count_every_candidate_once(client: httpx.AsyncClient) -> None:
    counted = (await client.get("/v1/statistics")).json()
    assert counted["candidates"] == 2 * PEOPLE == sum(counted["results"].values())
    assert counted["results"] == {"act": PEOPLE, "defer": PEOPLE, "withhold": 0}
    assert {(g["result"], g["campaign"], g["channel"], g["count"]) for g in counted["groups"]} == {
        ("act", "a", "call", PEOPLE),
        ("defer", "b", "sms", PEOPLE),
    }
    assert (await client.get("/v1/statistics", params={"since": "2027-01-01T00:00:00Z"})).json()["candidates"] == 0
    assert (await client.get("/v1/statistics", params={"until": "2026-06-15"})).json()["candidates"] == 0


async def test_a_campaigns_report_has_cost_reach_response_benefit_and_profit_over_both_partitions(client: httpx.AsyncClient) -> None:
    report = (await client.get("/v1/campaigns/a/report", params={"by": "wave,channel"})).json()
    total = report["total"]
    assert (total["entered"], total["acts"], total["contacts"]) == (PEOPLE, PEOPLE, PEOPLE)
    assert (total["direct_cost"], total["indirect_cost"]) == (250 * PEOPLE, 62 * PEOPLE)
    assert (total["goals"], total["goal_value"], total["benefit"]) == (RENEWING, 12_000 * RENEWING, 12_000 * RENEWING)
    assert total["profit"] == total["benefit"] - total["direct_cost"] - total["indirect_cost"]
    called = next(group for group in report["groups"] if (group["wave"], group["channel"]) == ("tell", "call"))
    assert (called["reached"], called["responses"], called["response_rate"]) == (RENEWING, RENEWING, 1.0)
    assert report["reasons"] == {"act/permitted": PEOPLE}
    assert set(report["definitions"]) >= set(total)
    (lift,) = report["lift"]
    assert (lift["against"], lift["entered"], lift["converted"], lift["held_out"], lift["lift"]) == ("campaign", PEOPLE, RENEWING, 0, None)


async def test_reports_divide_by_department_strategy_and_day_and_add_up(client: httpx.AsyncClient) -> None:
    for by in ("department", "strategy", "department,day", "campaign"):
        report = (await client.get("/v1/reports", params={"by": by})).json()
        for name in ("candidates", "contacts", "benefit", "profit", "goals"):
            assert sum(group[name] for group in report["groups"]) == report["total"][name], (by, name)
    by_department = (await client.get("/v1/reports", params={"by": "department"})).json()["groups"]
    assert [(g["department"], g["acts"], g["defers"]) for g in by_department] == [("retention", PEOPLE, 0), ("sales", 0, PEOPLE)]
    days = (await client.get("/v1/reports", params={"by": "day"})).json()["groups"]
    assert [(g["day"], g["contacts"], g["goals"]) for g in days] == [("2026-06-15", PEOPLE, 0), ("2026-06-16", 0, 2 * RENEWING)]
    first = (await client.get("/v1/reports", params={"until": "2026-06-16"})).json()["total"]
    assert (first["contacts"], first["goals"]) == (PEOPLE, 0)


async def test_divided_by_day_a_report_shows_ninety_days_up_to_the_newest_where_nobody_says_since_when(
    database: Database, client: httpx.AsyncClient
) -> None:
    async def days(path: str, **asked: str) -> tuple[Any, list[str]]:
        report = (await client.get(path, params={"by": "day"} | asked)).json()
        return report["since"], [group["day"] for group in report["groups"]]

    old = "insert into bookings select 'a', '2025-01-01', 0, 1, 'entered', 'first', '', '*', '', '', 1, 0, 0"
    async with database.transaction() as connection:
        await connection.exec_driver_sql(old)
    try:
        for path in ("/v1/reports", "/v1/campaigns/a/report"):
            assert await days(path) == ("2026-03-19", ["2026-06-15", "2026-06-16"])
            assert await days(path, until="2025-01-02") == ("2024-10-04", ["2025-01-01"])
            assert (await days(path, since="2024-01-01"))[1] == ["2025-01-01", "2026-06-15", "2026-06-16"]
            assert (await client.get(path)).json()["since"] is None
    finally:
        async with database.transaction() as connection:
            await connection.exec_driver_sql("delete from bookings where day = '2025-01-01'")


async def test_a_report_of_more_than_can_be_added_up_is_refused_with_what_to_ask_instead(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("/v1/reports?by=day,wave", "/v1/campaigns/a/report", "/v1/statistics"):
        monkeypatch.setattr(reports, "ROWS_MAX", 1 if path == "/v1/statistics" else 3)
        refused = await client.get(path)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/since")
        assert "give a later `since`" in refused.text


async def test_what_a_report_is_not_divided_by_is_summed_before_it_is_read(database: Database) -> None:
    async with database.transaction() as connection:
        every = await ledger.read(connection, ledger.Asked())
        summed = await ledger.read(connection, ledger.Asked(by=frozenset({"day"})))
    assert numbers(summed) == numbers(every)
    assert {(entry.version, entry.wave, entry.segment, entry.channel) for entry, _ in summed} == {(0, "", "", "")}


async def test_one_event_that_is_the_goal_of_two_campaigns_is_one_benefit(client: httpx.AsyncClient) -> None:
    total = (await client.get("/v1/reports")).json()["total"]
    assert total["goals"] == 2 * RENEWING
    assert total["benefit"] + total["untouched_benefit"] == 12_000 * RENEWING


async def test_what_was_learned_is_told_with_how_sure_it_is(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/responses")).json()
    (rate,) = found["rates"]
    assert (rate["segment"], rate["channel"], rate["hour"], rate["sent"]) == ("*", "call", 14, RENEWING)
    assert 0.2 < rate["mean"] < 0.4
    assert rate["low"] < rate["mean"] < rate["high"]
    assert (await client.get("/v1/responses", params={"channel": "sms"})).json()["rates"] == []


async def test_the_books_agree_with_the_decisions(database: Database) -> None:
    async with database.transaction() as connection:
        entries = await ledger.read(connection, ledger.Asked())
        assert numbers(entries).candidates == (await connection.exec_driver_sql("select count(*) from decisions")).scalar_one()


async def test_counts_fade_by_half_lives_add_up_over_partitions_and_are_forgotten(stack: Stack) -> None:
    dsn = await stack.create_database("fading")
    await asyncio.to_thread(upgrade, "nextwave_orchestrator.migrations", dsn)
    database, week = Database(dsn), week_of(MONDAY_NOON)
    one, other = Cell("top", "sms", 9), Cell("*", "sms", 9)
    async with database.transaction() as connection:
        for partition in (0, 1):
            await table.add(connection, partition, {(week, one): Seen(8, 2), (week - 4, one): Seen(16, 4), (week - 40, other): Seen(99, 9)})
            await table.add(connection, partition, {(week, one): Seen(2, 2)})
    policy = Policy(response_half_life="28d")
    clock = FixedClock(MONDAY_NOON)
    learning = Learning(database, clock)  # type: ignore[arg-type]  # of the clock only now
    assert (await learning.read(policy)).cells == {one: Seen(2 * (10 + 8), 2 * (4 + 2))}
    clock.instant += 4 * WEEK
    assert (await learning.read(policy)).cells == {one: Seen(2 * (5 + 4), 2 * (2 + 1))}
    async with database.transaction() as connection:
        kept = (await connection.exec_driver_sql("select distinct week from response_counts order by 1")).scalars().all()
    assert kept == [week - 4, week]
    await database.close()


@pytest.mark.parametrize(
    ("path", "status", "pointer"),
    [
        ("/v1/reports?by=moon", 422, "/query/by"),
        ("/v1/reports?by=day,wave,channel,segment", 422, "/query/by"),
        ("/v1/reports?since=yesterday", 422, "/query/since"),
        ("/v1/reports?since=2026-06-15&until=2026-06-15", 422, "/query/until"),
        ("/v1/reports?untill=2026-06-15", 422, "/query/untill"),
        ("/v1/campaigns/none/report", 404, ""),
    ],
)
async def test_wrong_questions_get_a_problem_that_says_what_is_wrong(
    client: httpx.AsyncClient, path: str, status: int, pointer: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointer in answer.text


async def test_nobody_reads_reports_without_a_key(client: httpx.AsyncClient) -> None:
    for path in ("/v1/statistics", "/v1/reports", "/v1/responses", "/v1/campaigns/a/report"):
        assert (await client.get(path, headers={"authorization": ""})).status_code == 401

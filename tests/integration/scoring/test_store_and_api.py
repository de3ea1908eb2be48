"""Scoring's SQL and its API on the real PostgreSQL: locks, merges, timelines, counts, and who may see what."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import asyncpg
import httpx
import msgspec
import pytest
from nextwave_contracts.customers import CustomersMerged, CustomerUpdated
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_runtime.application import Taken, Work
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.identity import derive

from .desk import PARTITIONS, START, Desk, bearer, seen


async def test_a_batch_is_stored_and_the_next_one_goes_on_from_it(desk: Desk) -> None:
    await desk.work(seen(1, "email:ann@example.com"), seen(2, "email:ann@example.com", "anonymous_id:d1"))
    [updated] = await desk.work(seen(3, "anonymous_id:d1"), partition=1)
    assert isinstance(updated, CustomerUpdated)
    assert updated.customer_id == derive("email:ann@example.com")
    assert updated.profile.version == 3
    assert set(updated.profile.identifiers) == {"email:ann@example.com", "anonymous_id:d1"}


async def test_partitions_that_meet_the_same_new_identifier_at_once_make_one_customer(desk: Desk) -> None:
    async def partition(number: int) -> None:
        for n in range(10):
            await desk.work(
                *(seen(100 * number + n, f"email:c{k}@example.com", f"anonymous_id:d{k}") for k in range(n, n + 5)), partition=number
            )

    await asyncio.gather(*(partition(number) for number in range(PARTITIONS)))
    assert await desk.rows("select count(*), count(*) filter (where merged_into is null) from customers") == [(14, 14)]
    assert await desk.rows("select count(*) from identifiers where customer_id is null") == [(0,)]
    assert await desk.rows("select sum(touchpoints) from intake") == [(200,)]
    assert await desk.rows("select count(*) from timeline") == [(200,)]


async def test_merges_from_two_sides_at_once_end_in_one_customer_and_nothing_is_lost(desk: Desk) -> None:
    names = [f"anonymous_id:d{n}" for n in range(6)]
    await desk.work(*(seen(n, name) for n, name in enumerate(names)))

    async def join(number: int, pair: tuple[str, str]) -> None:
        for _ in range(20):
            with suppress(asyncpg.DeadlockDetectedError):  # a deadlock: the batch is tried again, as the processor does
                await desk.work(seen(100 + number, *pair), partition=number % PARTITIONS)
                return
        raise AssertionError("deadlocked again and again")

    pairs = [(names[a], names[b]) for a, b in ((0, 1), (2, 3), (4, 5), (1, 2), (3, 4))]
    await asyncio.gather(*(join(n, pair) for n, pair in enumerate(pairs)))
    [updated] = await desk.work(seen(200, names[5]))
    assert updated.profile.activity["web"] == pytest.approx(6 + 5 + 1, rel=0.01)
    assert set(updated.profile.identifiers) == set(names)
    assert await desk.rows("select count(*) filter (where merged_into is null) from customers") == [(1,)]


async def test_who_is_absorbed_while_a_batch_waits_for_their_row_leads_it_to_the_survivor(desk: Desk) -> None:
    await desk.work(seen(1, "email:ann@example.com"), seen(2, "anonymous_id:d"))
    joining = seen(3, "email:ann@example.com", "anonymous_id:d")
    async with desk.database.transaction() as connection:
        unit = await desk.scoring.load(connection, Work(TOUCHPOINTS, 0, PARTITIONS, START, [Taken(TOUCHPOINTS, 0, 0, START, joining)], ()))
        list(desk.scoring.fold(unit, Taken(TOUCHPOINTS, 0, 0, joining.received_at, joining), START))
        await desk.scoring.save(connection, unit)
        waiting = asyncio.create_task(desk.work(seen(4, "anonymous_id:d"), partition=1))
        while not await desk.rows("select 1 from pg_locks where not granted"):  # noqa: ASYNC110  (what is waited for happens in the database)
            await asyncio.sleep(0.01)
    [updated] = await waiting
    assert (updated.customer_id, updated.profile.activity["web"]) == (derive("email:ann@example.com"), pytest.approx(4.0, abs=0.01))
    assert await desk.rows("select count(*), sum((state = '')::int) from customers") == [(2, 1)]


async def test_outcomes_and_reviews_of_an_absorbed_customer_find_the_survivor(desk: Desk) -> None:
    await desk.work(seen(1, "anonymous_id:d1"), seen(2, "email:ann@example.com"))
    messages = await desk.work(seen(3, "anonymous_id:d1", "email:ann@example.com"))
    assert isinstance(messages[0], CustomersMerged)
    old = derive("anonymous_id:d1")
    opened = Outcome(
        id="o1", action_id="a1", customer_id=old, campaign="c", version=1, wave="w", run_id="r", channel="email", kind="opened", at=START
    )
    [updated] = await desk.work(opened, partition=2)
    assert updated.customer_id == derive("email:ann@example.com")
    bands = []
    while due := await desk.due():
        for updated in [message for timer in due for message in await desk.work(timers=[timer])]:
            assert updated.customer_id == derive("email:ann@example.com")
            bands.append(updated.profile.churn.band)
    assert bands == ["elevated", "high", "lost"]


async def test_a_customer_is_found_by_id_identifier_and_the_id_that_was_absorbed(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(seen(1, "anonymous_id:d1"), seen(2, "email:ann@example.com"), seen(3, "anonymous_id:d1", "email:ann@example.com"))
    ann = derive("email:ann@example.com")
    for way in (f"/v1/customers/{ann}", f"/v1/customers/{derive('anonymous_id:d1')}", "/v1/customers?identifier=email:ANN@example.com"):
        answer = await client.get(way, headers=bearer("agent"))
        assert answer.status_code == 200
        assert answer.json()["customer_id"] == ann
        assert answer.json()["contact_points"] == [{"channel": "email", "address": "ann@example.com"}]


async def test_addresses_are_masked_for_who_does_not_need_them(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(seen(1, "email:ann@example.com", kind="customer.identified", email="ann@example.com", first_name="Ann", plan="gold"))
    ann = derive("email:ann@example.com")
    for way in (f"/v1/customers/{ann}", f"/v1/customers/{ann}/timeline"):
        shown = (await client.get(way, headers=bearer("viewer"))).text
        assert "ann@example.com" not in shown
        assert '"Ann"' not in shown
        assert "gold" in shown


async def test_a_timeline_is_paged_newest_first_and_includes_the_absorbed(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(*(seen(n, f"anonymous_id:d{n % 2}") for n in range(7)), seen(7, "anonymous_id:d0", "anonymous_id:d1"))
    [customer] = await desk.rows("select cast(id as text) from customers where merged_into is null")
    found, cursor = [], ""
    for _ in range(3):
        page = (
            await client.get(f"/v1/customers/{customer[0]}/timeline", params={"limit": 3, "cursor": cursor}, headers=bearer("viewer"))
        ).json()
        found += [line["id"] for line in page["items"]]
        cursor = page["next"]
    assert found == [f"t{n}" for n in range(7, -1, -1)]
    assert cursor == ""


async def test_what_was_received_at_once_is_in_the_order_in_which_it_happened_newest_first_over_all_pages(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    received = START + timedelta(days=1)
    told = [(seen(n, "anonymous_id:d1"), START - timedelta(days=n % 3)) for n in range(6)]
    batch = [msgspec.structs.replace(one, received_at=received, occurred_at=at, claimed=True) for one, at in told]
    await desk.work(*batch)
    found: list[tuple[str, str, str]] = []
    cursor = ""
    for _ in range(3):
        way = f"/v1/customers/{derive('anonymous_id:d1')}/timeline"
        page = (await client.get(way, params={"limit": 2, "cursor": cursor}, headers=bearer("viewer"))).json()
        found += [(line["id"], line["at"], line["occurred_at"]) for line in page["items"]]
        cursor = page["next"]
    assert [name for name, _, _ in found] == ["t3", "t0", "t4", "t1", "t5", "t2"]
    assert {datetime.fromisoformat(at) for _, at, _ in found} == {received}
    assert [datetime.fromisoformat(at) for *_, at in found] == sorted((at for _, at in told), reverse=True)


async def test_statistics_are_exact(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(seen(1, "anonymous_id:d1"), seen(2, "email:ann@example.com", kind="order.placed", source="crm/api"))
    await desk.work(seen(3, "anonymous_id:d1", "email:ann@example.com"), partition=3)
    answer = (await client.get("/v1/statistics", headers=bearer("viewer"))).json()
    assert answer == {
        "customers": 1,
        "touchpoints_taken_in": 3,
        "touchpoints": {"crm": {"order": 1}, "shop": {"web": 2}},
        "duplicates_dropped": 0,
        "bands": {"low": 1},
        "stages": {"exploration": 1},
    }


async def test_fields_and_models_describe_what_is_there(client: httpx.AsyncClient) -> None:
    catalogue = (await client.get("/v1/fields", headers=bearer("viewer"))).json()
    fields = catalogue["fields"]
    assert {"feature": "overdue", "unit": "standard deviations"}.items() <= {r["feature"]: r for r in catalogue["reasons"]}[
        "overdue"
    ].items()
    assert {"churn.band", "stage", "value.cell"} <= {f["path"] for f in fields}
    [model] = (await client.get("/v1/models", headers=bearer("viewer"))).json()["models"]
    assert model["name"] == "baseline-1"
    assert model["parameters"]["horizon_days"] == DEFAULT.horizon_days


@pytest.mark.parametrize(
    ("way", "headers", "status"),
    [
        ("/v1/statistics", {}, 401),
        ("/v1/statistics", {"authorization": "Bearer shop"}, 401),
        ("/v1/customers", {}, 401),
        ("/v1/customers", bearer("viewer"), 422),
        (f"/v1/customers/{derive('x')}/timeline?limit=0", {}, 401),
        (f"/v1/customers/{derive('x')}/timeline?limit=0", bearer("viewer"), 422),
        ("/v1/customers/nobody", bearer("viewer"), 404),
        (f"/v1/customers/{derive('x')}", bearer("viewer"), 404),
        (f"/v1/customers/{derive('x')}/timeline", bearer("viewer"), 404),
        (f"/v1/customers/{derive('x')}/timeline?cursor=%21", bearer("viewer"), 422),
        ("/v1/customers?identifier=ann", bearer("viewer"), 422),
        ("/v1/customers?identifier=email:ann@example.com", bearer("viewer"), 404),
    ],
)
async def test_what_cannot_be_answered_is_a_problem_with_a_stable_name(
    client: httpx.AsyncClient, way: str, headers: dict[str, str], status: int
) -> None:
    answer = await client.get(way, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].startswith("urn:nextwave:problem:")

"""Calls that wait for another way or for agents keep nobody busy, and are not walked through; on the real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from call_floor import call, capacity, desk_of, open_door
from channel_contacts import HOUR, NOON
from channels_place import PATIENT_SECONDS, Place, Recorder
from nextwave_channels import claiming
from nextwave_channels.call_lists import table
from nextwave_channels.dispatcher import Bell, Dispatcher
from nextwave_channels.horizon import Horizon
from nextwave_channels.outlets import Outlet, Outlets
from nextwave_channels.pacing import Pace
from nextwave_channels.store import Selection

PACE = Pace(concurrency=8, fresh_seconds=PATIENT_SECONDS)


@pytest.fixture
async def client(place: Place, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(place, tmp_path) as opened:
        yield opened


def caller(place: Place, asked: list[float]) -> Dispatcher:
    """The dispatcher of what the provider speaks; each claim asks how many stops are accepted, which is `asked`."""

    async def look() -> Horizon:
        asked.append(place.monotonic())
        return Horizon(place.monotonic(), {})

    outlet = Outlet(provider="twilio", adapter=Recorder(), pace=PACE)
    return Dispatcher(Outlets("call", [outlet], place.clock, place.steady), replace(desk_of(place, "twilio"), horizon=look), Bell())


async def test_calls_that_go_another_way_are_no_reason_to_claim(place: Place) -> None:
    await place.put(call("pulled"), call("pushed", list="pushed"))
    asked: list[float] = []
    dispatcher = caller(place, asked)
    assert (await dispatcher._turn(0.01), asked) == (0.02, [])
    await place.put(call("spoken", list="spoken"))
    await dispatcher._turn(0.0)
    assert len(asked) == 1


async def test_while_calls_wait_for_agents_it_is_asked_less_and_less_often(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(call("a", list="spoken"))
    await capacity(client, 0, "spoken")
    asked: list[float] = []
    dispatcher, waits = caller(place, asked), [0.0]
    for _ in range(4):
        waits.append(await dispatcher._turn(waits[-1]))
    assert (waits, len(asked)) == ([0.0, 0.01, 0.02, 0.04, 0.08], 4)


async def test_what_is_due_is_known_list_by_list_and_found_on_lists_that_nobody_named(place: Place) -> None:
    await place.put(call("a"), call("b", list="winback", value=99.0), call("c", list=""), call("spoken", list="spoken"))
    await place.put(call("later", list="winback"), call("tomorrow", list="next"), due_at=NOON + HOUR)
    await place.ask("update deliveries set held_until = clock_timestamp() + interval '1 hour' where action_id = 'a'")
    async with place.database.transaction() as connection:
        assert await table.due(connection) == {"": NOON, "winback": NOON, "spoken": NOON, "next": NOON + HOUR}
    claimed = await claiming.claim(desk_of(place), Selection("call"), 10, PACE) or []
    assert [one.contact.action_id for one in claimed] == ["b", "c"]


async def test_a_backlog_is_not_walked_through_to_know_what_is_due(place: Place) -> None:
    await place.put(call("seed"), call("spoken", list="spoken"))
    await place.ask(
        "insert into deliveries select 'x' || n, customer_id, campaign, wave, run_id, channel, purpose, partition, subjects, state, due_at,"
        " value, attempt, held_until, provider_id, detail, withdrawn_reason, received_at, changed_at, contact, list, provider, cost,"
        " not_after"
        " from deliveries, generate_series(1, 3000) n where action_id = 'seed'"
    )
    await place.ask("analyze deliveries")
    rows = await place.ask(f"explain (analyze, buffers, format text) {table._DUE.sql}")
    plan = "\n".join(line for (line,) in rows)
    assert "Seq Scan on deliveries" not in plan, plan
    assert "deliveries_due_calls" in plan, plan

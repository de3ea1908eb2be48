"""What keeps a processor going for months: day partitions whatever came first, and a loud stop when the log has lost what comes next."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from integration.runtime.program import Program, all_of, expected
from nextwave_local.ports import free_ports
from nextwave_runtime import outbox
from nextwave_runtime.application import Timer
from nextwave_runtime.database import Database
from nextwave_runtime.outbox import Record
from nextwave_runtime.progress import FencedError, Input, OutboxChange, Progress, acquire, advance
from nextwave_runtime.schema import keep_days
from nextwave_runtime.seen import first_time
from nextwave_runtime.timers import Gates, gates, next_due, schedule, take_due
from sqlalchemy import text
from stack import Stack

TODAY = date(2026, 5, 5)
NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
async def program(stack: Stack) -> AsyncIterator[Program]:
    made = await Program.create(stack)
    yield made
    made.close()


@pytest.fixture
async def database(program: Program) -> AsyncIterator[Database]:
    opened = Database(program.dsn)
    yield opened
    await opened.close()


async def partitions(database: Database) -> set[str]:
    async with database.transaction() as connection:
        rows = await connection.execute(text("select inhrelid::regclass::text from pg_inherits where inhparent = 'seen'::regclass"))
        return {name for (name,) in rows.all()}


async def test_ids_seen_before_their_day_was_made_are_moved_into_it_and_still_known(database: Database) -> None:
    async with database.transaction() as connection:
        assert await first_time(connection, ["a", "b"], TODAY) == {"a", "b"}
    await keep_days(database, "seen", today=TODAY)
    await keep_days(database, "seen", today=TODAY)
    assert {"seen_20260505", "seen_20260506", "seen_20260507", "seen_default"} == await partitions(database)
    async with database.transaction() as connection:
        assert await first_time(connection, ["a", "b", "c"], TODAY + timedelta(days=1)) == {"c"}
        assert (await connection.execute(text("select count(*) from seen_default"))).scalar() == 0


async def test_who_lost_the_partition_keeps_nothing_in_the_outbox_and_lets_go_of_nothing(database: Database) -> None:
    key, records = Input("p", "t", 0), [Record("x", 0, b"k", b"v", [("h", b"1")])]
    async with database.transaction() as connection:
        first = await acquire(connection, key, beginning=0)
    second = await _advanced(database, key, first, outbox.change((1, 0), records))
    third = await _advanced(database, key, second, outbox.change((2, 1), records))
    idle = await _advanced(database, key, third, outbox.change((3, 1), []))
    async with database.transaction() as connection:
        assert await outbox.pending(connection, key) == [(2, records)]
        assert (await acquire(connection, key, beginning=0)).next_offset == 3
    with pytest.raises(FencedError):
        await _advanced(database, key, idle, outbox.change((3, 2), records))
    async with database.transaction() as connection:
        assert [sequence for sequence, _ in await outbox.pending(connection, key)] == [2]


async def _advanced(database: Database, key: Input, before: Progress, change: OutboxChange) -> Progress:
    async with database.transaction() as connection:
        after = replace(before, next_offset=before.next_offset + 1)
        await advance(connection, key, before, after, change)
    return after


async def test_days_older_than_thirty_are_dropped_whole(database: Database) -> None:
    await keep_days(database, "seen", today=TODAY)
    await keep_days(database, "seen", today=TODAY + timedelta(days=33))
    assert {name for name in await partitions(database) if name < "seen_2026060"} == set()


async def test_a_place_that_the_log_no_longer_has_stops_the_processor_loudly_and_a_person_can_let_it_go_on(program: Program) -> None:
    await program.post(range(10))
    program.start("a", RELAY_PARTS="relay,tally")
    await program.until_counted(30)
    program.kill("a")
    await program.change("update progress set next_offset = 1000000 where processor = 'relay' and topic = 'nextwave.touchpoints.v1'")
    program.start("a")
    assert program.processes.pop("a").wait(60) == 1
    assert "LostInputError" in program.logs()
    await program.change("delete from progress where processor = 'relay'")
    program.start("a")
    await program.post(range(10, 20))
    counted = await program.until_counted(60)
    assert set(all_of(counted)) == expected(range(20))


async def test_each_timer_waits_for_its_own_gate_and_what_is_handed_over_for_none_while_the_clock_is_not_sure(database: Database) -> None:
    handed, later = frozenset({"word"}), NOON + timedelta(hours=1)
    async with database.transaction() as connection:
        await schedule(connection, [Timer(7, NOON, "clock", "k"), Timer(7, NOON, "watermark", "k", gate="watermark")])
        await schedule(connection, [Timer(7, at, f"word at {at.hour}", "word") for at in (NOON, later)])
        assert await next_due(connection, [7]) == {(7, "clock"): NOON, (7, "watermark"): NOON}
        assert await next_due(connection, [7], handed) == {(7, "clock"): NOON, (7, "watermark"): NOON, (7, "handed_over"): NOON}

        async def fired(opened: Gates, limit: int = 9) -> list[str]:
            return [timer.key for timer in await take_due(connection, 7, opened, limit)]

        assert await fired(gates(NOON - timedelta(microseconds=1), None, sure=True, hands_over=handed)) == []
        assert await fired(gates(NOON, None, sure=False, hands_over=handed)) == ["word at 12", "word at 13"]
        assert await fired(Gates(None, NOON)) == ["watermark"]
        assert await fired(Gates(NOON, None), limit=0) == []
        assert await fired(Gates(NOON, None)) == ["clock"]


async def test_what_is_handed_over_is_published_while_the_clock_is_not_sure(program: Program) -> None:
    await program.post(range(10))
    program.start("a", RELAY_CLOCK="unsure")
    assert set(all_of(await program.until_counted(30))) == expected(range(10))


async def answered(port: int, path: str, wanted: int) -> httpx.Response:
    """The answer of that path, once it has the wanted status."""
    async with asyncio.timeout(60), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while (got := await _got(client, path)) is None or got.status_code != wanted:  # noqa: ASYNC110  (another process changes it)
            await asyncio.sleep(0.1)
    return got


async def _got(client: httpx.AsyncClient, path: str) -> httpx.Response | None:
    try:
        return await client.get(path)
    except httpx.TransportError:
        return None


async def test_a_service_whose_database_is_away_is_alive_but_not_ready_and_ends_when_it_is_told_to(program: Program) -> None:
    (port,) = free_ports(1)
    program.start("waiting", NEXTWAVE_POSTGRES=NOWHERE, NEXTWAVE_PORT=str(port))
    assert (await answered(port, "/livez", 200)).text == "ok"
    assert (await answered(port, "/readyz", 503)).text == "waits for the database"
    refused = await answered(port, "/v1/anything", 503)
    assert (refused.headers["content-type"], refused.headers["retry-after"]) == ("application/problem+json", "2")
    assert "nextwave_" in (await answered(port, "/metrics", 200)).text
    async with asyncio.timeout(60):
        while program.logs().count("clock_waits_for_the_database") < 2:  # noqa: ASYNC110  (another process writes it)
            await asyncio.sleep(0.2)
    assert program.kill("waiting", signal.SIGTERM) == 0


async def test_a_service_begins_to_work_when_its_database_comes_back(program: Program) -> None:
    away, (port, gate) = urlsplit(program.dsn), free_ports(2)
    assert away.port
    dsn = program.dsn.replace(f":{away.port}/", f":{gate}/")
    program.start("waiting", NEXTWAVE_POSTGRES=dsn, NEXTWAVE_PORT=str(port))
    await answered(port, "/readyz", 503)
    await program.post(range(5))
    async with await asyncio.start_server(lambda *client: forward(client, away.port or 0), "127.0.0.1", gate):
        await answered(port, "/readyz", 200)
        assert (await answered(port, "/v1/anything", 404)).status_code == 404
        assert set(all_of(await program.until_counted(15))) == expected(range(5))
        program.kill("waiting")


async def forward(client: tuple[asyncio.StreamReader, asyncio.StreamWriter], port: int) -> None:
    server = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_pipe(client[0], server[1]), _pipe(server[0], client[1]))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    writer.close()

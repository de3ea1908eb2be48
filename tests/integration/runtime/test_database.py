"""Transactions on the real PostgreSQL: whole or not at all, also when they are cancelled or cut, and no broken connection is used twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from nextwave_runtime.database import UNAVAILABLE, Database, Statement, SwallowedError, is_wrong_value
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from stack import Stack

_NOTE = Statement("insert into notes (n) values (:n)")
_NOTES = Statement("select n from notes order by n")
_SLEEP = Statement("select pg_sleep(20)")
_CUT = Statement("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
_CUT_OURSELVES = Statement("select pg_terminate_backend(pg_backend_pid())")


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    made = Database(await stack.create_database("notes"), pool_size=2)
    async with made.transaction() as connection:
        await connection.execute(text("create table notes (n int primary key)"))
    yield made
    await made.close()


async def noted(database: Database) -> list[int]:
    async with database.connection() as connection:
        return [n for (n,) in await _NOTES.rows(connection)]


async def test_what_is_written_is_there_after_the_transaction_and_says_how_many_rows(database: Database) -> None:
    async with database.transaction() as connection:
        assert await _NOTE.run(connection, {"n": 1}) == 1
        assert await noted(database) == []
    assert await noted(database) == [1]


async def test_an_error_undoes_both_ways_of_writing(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            await _NOTE.run(connection, {"n": 1})
            await connection.execute(text("insert into notes (n) values (2)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await work()
    assert await noted(database) == []


async def test_a_swallowed_error_of_sql_does_not_pass_for_a_written_transaction(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            await _NOTE.run(connection, {"n": 1})
            with suppress(*UNAVAILABLE):
                await _NOTE.run(connection, {"n": 1})

    for _ in range(6):  # more often than there are connections
        with pytest.raises(SwallowedError):
            await work()
    assert await noted(database) == []


async def _by_driver(connection: AsyncConnection) -> None:
    await _SLEEP.run(connection)


async def _by_sqlalchemy(connection: AsyncConnection) -> None:
    await connection.execute(text("select pg_sleep(20)"))


@pytest.mark.parametrize("sleep", [_by_driver, _by_sqlalchemy])
async def test_a_cancelled_transaction_is_undone_and_says_that_it_was_cancelled(
    database: Database, sleep: Callable[[AsyncConnection], Awaitable[None]]
) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            await _NOTE.run(connection, {"n": 1})
            await sleep(connection)

    for _ in range(6):  # more often than there are connections
        task = asyncio.create_task(work())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await noted(database) == []


async def test_connections_that_were_given_up_at_any_moment_are_handed_on_in_order_or_not_at_all(database: Database) -> None:
    chance = random.Random(5)

    async def work(number: int) -> None:
        async with database.transaction() as connection:
            await _NOTE.run(connection, {"n": number})
            await _NOTES.rows(connection)

    async def ask() -> None:
        async with database.connection() as connection:
            await _NOTES.rows(connection)

    async def give_up(doing: Coroutine[Any, Any, None]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(chance.uniform(0.0, 0.004)):
                await doing

    for turn in range(300):
        await asyncio.gather(give_up(work(2 * turn)), give_up(ask()), give_up(work(2 * turn + 1)))
    for number in range(1_000, 1_020):
        await asyncio.gather(work(number), ask())
    assert set(range(1_000, 1_020)) <= set(await noted(database))


async def test_connections_that_were_cut_while_nobody_used_them_are_replaced_unnoticed(database: Database) -> None:
    async with database.transaction(), database.transaction():
        pass
    async with database.connection() as connection:
        await _CUT.run(connection)
    await asyncio.sleep(0.2)
    async with database.transaction() as one, database.transaction() as other:
        await _NOTE.run(one, {"n": 1})
        await _NOTE.run(other, {"n": 2})
    assert await noted(database) == [1, 2]


async def test_a_connection_that_is_cut_within_a_transaction_undoes_it_and_the_next_one_works(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            await _NOTE.run(connection, {"n": 1})
            await _CUT_OURSELVES.run(connection)

    for _ in range(6):
        with pytest.raises(UNAVAILABLE):
            await work()
    async with database.transaction() as connection:
        await _NOTE.run(connection, {"n": 2})
    assert await noted(database) == [2]


async def test_a_value_that_no_column_can_hold_is_told_from_trouble_with_the_database(database: Database) -> None:
    async def work(statement: Statement) -> None:
        async with database.transaction() as connection:
            await statement.rows(connection, {"told": "a\0b"})

    with pytest.raises(UNAVAILABLE) as told:
        await work(Statement("select cast(:told as text)"))
    assert is_wrong_value(told.value)
    with pytest.raises(UNAVAILABLE) as cut:
        await work(_CUT_OURSELVES)
    assert not is_wrong_value(cut.value)


def test_parameters_are_numbered_by_name_and_casts_and_times_are_left_alone() -> None:
    statement = Statement("select :a, :b, :a, x::text, '10:30' where y = :c")
    assert statement.sql == "select $1, $2, $1, x::text, '10:30' where y = $3"

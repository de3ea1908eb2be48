"""One engine per service, and transactions that are committed at the edge only."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

UNAVAILABLE: tuple[type[Exception], ...] = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what the driver says of a connection that broke in the middle of an answer
    OSError,
    TimeoutError,
)
"""Errors that mean the surroundings are at fault: wait and try again. (Those of a `Statement` and of connecting come unwrapped.)"""
ROLL_BACK_SECONDS = 5.0
"""A connection that cannot roll back within this is thrown away."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")

_log = structlog.get_logger()


class SwallowedError(RuntimeError):
    """Our own fault: an error of SQL was caught within a transaction, which PostgreSQL then undoes whatever comes after."""


def is_wrong_value(error: Exception) -> bool:
    """Whether the database could not hold or read a value it was given (SQLSTATE class 22, for instance a NUL in a text): never again."""
    if isinstance(error, DBAPIError):
        cause = getattr(error.orig, "__cause__", None)
        return str(getattr(error.orig, "sqlstate", "") or "").startswith("22") or isinstance(cause, asyncpg.DataError)
    return isinstance(error, asyncpg.DataError)


class Statement:
    """SQL of the hot paths, with `:name` parameters, that the driver runs itself.

    It runs in the transaction of the connection that it is given. A parameter whose type PostgreSQL cannot tell needs a cast.
    """

    def __init__(self, sql: str) -> None:
        names: list[str] = []
        self.written = sql
        self.sql = _PARAMETER.sub(lambda found: _placed(names, found[1]), sql)
        self._names = tuple(names)

    async def rows(self, connection: AsyncConnection, bound: Mapping[str, Any] = NOTHING) -> Sequence[Any]:
        """Runs it; the rows, which unpack like tuples and are read by column name."""
        return await driver_of(connection).fetch(self.sql, *[bound[name] for name in self._names])  # type: ignore[no-any-return]

    async def run(self, connection: AsyncConnection, bound: Mapping[str, Any] = NOTHING) -> int:
        """Runs it; how many rows were written."""
        status = await driver_of(connection).execute(self.sql, *[bound[name] for name in self._names])
        return int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0


def _placed(names: list[str], name: str) -> str:
    if name not in names:
        names.append(name)
    return f"${names.index(name) + 1}"


def driver_of(connection: AsyncConnection) -> Any:
    """The driver's own connection (asyncpg) behind SQLAlchemy's."""
    assert connection.sync_connection is not None
    return connection.sync_connection.connection.driver_connection


_CLOCK = Statement("select extract(epoch from clock_timestamp())")


class Database:
    """The service's own PostgreSQL database. `dsn` is `postgresql://user:password@host:port/name`."""

    def __init__(self, dsn: str, *, pool_size: int = 12, statement_timeout_seconds: float = 30.0) -> None:
        url = "postgresql+asyncpg://" + dsn.partition("://")[2]
        settings = {"statement_timeout": str(int(statement_timeout_seconds * 1000)), "idle_in_transaction_session_timeout": "10000"}
        self._engine: AsyncEngine = create_async_engine(
            url,
            isolation_level="AUTOCOMMIT",  # transactions are begun and ended here, by the driver
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=10,
            pool_pre_ping=False,
            connect_args={"timeout": 5, "command_timeout": statement_timeout_seconds, "server_settings": settings},
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction, committed at the end and rolled back on an error. Raises `SwallowedError`."""
        async with self._unbroken() as connection:
            driver = driver_of(connection)
            try:
                await driver.execute("begin")
                yield connection
                await _commit(driver)
            except BaseException:
                if not connection.invalidated:  # SQLAlchemy drops it when its own statement is cancelled
                    await _roll_back(connection, driver)
                raise

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which every statement is committed by itself: for a single question."""
        async with self._unbroken() as connection:
            try:
                yield connection
            except BaseException:
                if not connection.invalidated:
                    await _roll_back(connection, driver_of(connection))
                raise

    @asynccontextmanager
    async def _unbroken(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            if driver_of(connection).is_closed():  # PostgreSQL went away while nobody used it
                await connection.invalidate()
                await connection.get_raw_connection()
            yield connection

    async def wall_seconds(self) -> float:
        """What the server's own clock shows now (Unix seconds)."""
        async with self.connection() as connection:
            ((seconds,),) = await _CLOCK.rows(connection)
            return float(seconds)

    async def close(self) -> None:
        """Closes every connection."""
        await self._engine.dispose()


async def _commit(driver: Any) -> None:
    """PostgreSQL answers ROLLBACK to the commit of a transaction in which a statement failed, and says no more about it."""
    if await driver.execute("commit") != "COMMIT":
        raise SwallowedError("a statement failed, its error was caught, and so nothing of the transaction was written")


async def _roll_back(connection: AsyncConnection, driver: Any) -> None:
    """Rolls back, also what was hardly begun; a connection that does not answer as it should goes back to no pool."""
    try:
        async with asyncio.timeout(ROLL_BACK_SECONDS):
            if not driver.is_closed():
                await driver.execute("rollback")
    except BaseException as error:
        _log.info("connection_dropped", error=repr(error)[:300])
        await connection.invalidate(error if isinstance(error, Exception) else None)
        if not isinstance(error, UNAVAILABLE):
            raise
    else:
        if driver.is_closed():
            await connection.invalidate()

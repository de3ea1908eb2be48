"""One engine per service, and transactions that are committed at the edge only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

UNAVAILABLE: tuple[type[Exception], ...] = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""Errors that mean the surroundings are at fault: wait and try again. (Errors while connecting reach us unwrapped.)"""

_CLOCK = text("select extract(epoch from clock_timestamp())")


def is_wrong_value(error: Exception) -> bool:
    """Whether the database could not hold or read a value it was given (SQLSTATE class 22, for instance a NUL in a text): never again."""
    if isinstance(error, DBAPIError):
        cause = getattr(error.orig, "__cause__", None)
        return str(getattr(error.orig, "sqlstate", "") or "").startswith("22") or isinstance(cause, asyncpg.DataError)
    return isinstance(error, asyncpg.DataError)


class Database:
    """The service's own PostgreSQL database. `dsn` is `postgresql://user:password@host:port/name`."""

    def __init__(self, dsn: str, *, pool_size: int = 12, statement_timeout_seconds: float = 30.0) -> None:
        url = "postgresql+asyncpg://" + dsn.partition("://")[2]
        settings = {"statement_timeout": str(int(statement_timeout_seconds * 1000)), "idle_in_transaction_session_timeout": "10000"}
        self._engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=10,
            pool_pre_ping=False,
            connect_args={"timeout": 5, "command_timeout": statement_timeout_seconds, "server_settings": settings},
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction, committed at the end and rolled back on an error."""
        async with self._engine.begin() as connection:
            yield connection

    async def wall_seconds(self) -> float:
        """What the server's own clock shows now (Unix seconds)."""
        async with self.transaction() as connection:
            return float((await connection.execute(_CLOCK)).scalar_one())

    async def close(self) -> None:
        """Closes every connection."""
        await self._engine.dispose()

"""Alembic without a folder of its own configuration: each service's package holds its migrations, this runs them.

The build before goes on working meanwhile, so no revision may keep others from a table for long: each is a transaction of its own, a
statement that does not get its lock soon gives way and is tried again, and indexes of tables that are in use are built beside the writing.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path

import structlog
from alembic import command, context, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

LOCK_SECONDS = 2
"""Everybody else who wants the table queues behind a statement that waits for its lock."""
AGAIN_SECONDS = 1.0
TRIES = 30
_NOT_LOCKED = "55P03"
_OURS = text("select pg_try_advisory_lock(7203914)")
"""Several replicas may start migrating at once. They ask again and again: a statement that waits is one that `concurrently` waits for."""
_INVALID = text("select not indisvalid from pg_index where indexrelid = to_regclass(:name)")
_log = structlog.get_logger()


def upgrade(package: str, dsn: str, revision: str = "head") -> None:
    """Brings the database to a revision of the migrations in `package`. Safe to call at the same time from several places.

    Nothing goes down again: a revision only adds what the build before can leave alone, so rolling back is running that build. A database
    that a newer build has brought further than this package knows is left as it is. Raises `DBAPIError` when a table is never free.
    """
    folder = Path(str(import_module(package).__file__)).parent
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    asyncio.run(_upgrade(config, dsn, revision))


def build_index(name: str, on: str) -> None:
    """Builds an index on a table that an earlier revision made, while others write to it: `create index name on ...`.

    It commits what the revision did before it, which then may run a second time. What an interrupted try left behind is dropped.
    """
    with op.get_context().autocommit_block():
        op.execute("set lock_timeout = 0")  # it waits for transactions that are under way, and nobody waits for it
        try:
            if op.get_bind().execute(_INVALID, {"name": name}).scalar():
                op.execute(f"drop index concurrently {name}")
            op.execute(f"create index concurrently if not exists {name} on {on}")
        finally:
            op.execute("reset lock_timeout")


def run_env() -> None:
    """What a `migrations/env.py` does: run the pending revisions on the connection that `upgrade` opened."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def _upgrade(config: Config, dsn: str, revision: str) -> None:
    settings = {"lock_timeout": f"{LOCK_SECONDS}s"}
    engine = create_async_engine("postgresql+asyncpg://" + dsn.partition("://")[2], connect_args={"server_settings": settings})
    try:
        async with engine.connect() as connection:  # the advisory lock ends with it
            while not (await connection.execute(_OURS)).scalar():
                await connection.commit()
                await asyncio.sleep(AGAIN_SECONDS)
            await connection.commit()
            await _run_patiently(connection, config, revision)
    finally:
        await engine.dispose()


async def _run_patiently(connection: AsyncConnection, config: Config, revision: str) -> None:
    for left in reversed(range(TRIES)):
        try:
            await connection.run_sync(_run, config, revision)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") != _NOT_LOCKED or not left:
                raise
            _log.warning("migration_waits", error=str(error.orig)[:300])
            await connection.rollback()
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return


def _run(connection: Connection, config: Config, revision: str) -> None:
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    heads = set(MigrationContext.configure(connection).get_current_heads())
    connection.commit()  # a revision's transaction is Alembic's to begin
    if heads <= known:
        command.upgrade(config, revision)

"""Alembic without a folder of its own configuration: each service's package holds its migrations, this runs them."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

_LOCK = 7_203_914
"""Advisory lock: several replicas may start migrating at once."""


def upgrade(package: str, dsn: str) -> None:
    """Brings the database to the newest revision of the migrations in `package`. Safe to call at the same time from several places.

    Nothing goes down again: a revision only adds what the build before can leave alone, so rolling back is running that build. A database
    that a newer build has brought further than this package knows is left as it is.
    """
    folder = Path(str(import_module(package).__file__)).parent
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    asyncio.run(_upgrade(config, dsn))


def run_env() -> None:
    """What a `migrations/env.py` does: run the pending revisions on the connection that `upgrade` opened."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()


async def _upgrade(config: Config, dsn: str) -> None:
    engine = create_async_engine("postgresql+asyncpg://" + dsn.partition("://")[2])
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"select pg_advisory_xact_lock({_LOCK})"))
            await connection.run_sync(_run, config)
    finally:
        await engine.dispose()


def _run(connection: Connection, config: Config) -> None:
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if set(MigrationContext.configure(connection).get_current_heads()) <= known:
        command.upgrade(config, "head")

"""Alembic's entry: runs the pending revisions on the connection of `nextwave_runtime.migrate`."""

from nextwave_runtime.migrate import run_env

run_env()

"""Alembic's entry: the runtime brings the connection."""

from nextwave_runtime.migrate import run_env

run_env()

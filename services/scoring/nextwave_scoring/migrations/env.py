"""Runs the pending revisions on the connection that the runtime opened."""

from nextwave_runtime.migrate import run_env

run_env()

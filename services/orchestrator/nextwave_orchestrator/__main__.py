"""Runs the orchestrator: `python -m nextwave_orchestrator [--check | migrate]`."""

from __future__ import annotations

from nextwave_runtime.service import run

from nextwave_orchestrator.app import build
from nextwave_orchestrator.settings import OrchestratorSettings

if __name__ == "__main__":
    run("orchestrator", OrchestratorSettings, build, migrate="nextwave_orchestrator.migrations")

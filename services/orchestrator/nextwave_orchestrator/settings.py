"""What the orchestrator is told from outside."""

from __future__ import annotations

from nextwave_runtime.settings import ProcessorSettings
from pydantic import Field


class OrchestratorSettings(ProcessorSettings):
    """Settings of the orchestrator."""

    partitions: int = Field(default=4, ge=1, le=1024, description="partitions of every topic; each is told when a campaign stops")
    editor_budget_max: int = Field(default=100_000, ge=0, description="largest budget (minor units) that an editor may publish alone")
    editor_audience_max: int = Field(default=50_000, ge=0, description="largest audience (customers) that an editor may publish to alone")

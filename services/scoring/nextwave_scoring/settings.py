"""What scoring is told from outside."""

from __future__ import annotations

from nextwave_runtime.settings import ProcessorSettings
from pydantic import Field


class ScoringSettings(ProcessorSettings):
    """Environment `NEXTWAVE_...`; money in minor units of `currency`."""

    currency: str = Field(
        default="EUR", pattern="^[A-Z]{3}$", description="ISO 4217 currency of values; orders in others are kept, not valued"
    )
    value_current_min: int = Field(default=5_000, ge=0, description="expected margin (minor units) from which current value is high")
    value_potential_min: int = Field(default=2_500, ge=0, description="possible extra margin (minor units) from which potential is high")

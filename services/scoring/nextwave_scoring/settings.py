"""What scoring is told from outside."""

from __future__ import annotations

from nextwave_runtime.settings import ProcessorSettings
from pydantic import Field


class ScoringSettings(ProcessorSettings):
    """Environment `NEXTWAVE_...`; money in minor units of `currency`."""

    currency: str = Field(
        default="EUR", pattern="^[A-Z]{3}$", description="ISO 4217 currency of values; orders in others are kept, not valued"
    )
    value_thresholds: tuple[int, int] = Field(
        default=(5_000, 2_500), description="margins (minor units) from which current and potential value are high, as JSON: [5000, 2500]"
    )

"""What scoring is told from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from nextwave_runtime.settings import ProcessorSettings
from pydantic import Field, field_validator, model_validator

from nextwave_scoring.assessment import House
from nextwave_scoring.churn.population import vertical
from nextwave_scoring.house import read_house
from nextwave_scoring.profile.bounds import SUM_MAX
from nextwave_scoring.rates import read_rates


class ScoringSettings(ProcessorSettings):
    """Environment `NEXTWAVE_...`; money in minor units of `currency`."""

    currency: str = Field(
        default="EUR", pattern="^[A-Z]{3}$", description="ISO 4217 currency of the house: of values and of all that is added up"
    )
    rates_file: Path | None = Field(
        default=None,
        description="CSV (currency,date,rate) or JSON of exchange rates into `currency`; without it other currencies are kept, not valued",
    )
    house_file: Path | None = Field(default=None, description="TOML of what the house says of its business; see docs/value.md")
    value_thresholds_by: Literal["money", "quantile"] = Field(
        default="money", description="whether `value_thresholds` are amounts or shares (0..1) of customers that are low"
    )
    value_thresholds: tuple[float, float] = Field(
        default=(5_000, 2_500), description="from where current and potential value are high, as JSON: [5000, 2500], or [0.7, 0.7]"
    )
    vertical: str = Field(default="shop", description="whose population the shipped baseline knows: orders, shop or telecom")
    models_folder: Path | None = Field(default=None, description="folder of trained models, read again when it changes; see docs/models.md")

    @model_validator(mode="after")
    def _are_thresholds(self) -> ScoringSettings:
        if not all(abs(threshold) <= SUM_MAX for threshold in self.value_thresholds):
            raise ValueError("NEXTWAVE_VALUE_THRESHOLDS must be two numbers, for example [5000, 2500]")
        if self.value_thresholds_by == "quantile" and not all(0 < share < 1 for share in self.value_thresholds):
            raise ValueError("NEXTWAVE_VALUE_THRESHOLDS must be two shares between 0 and 1 when they are quantiles, for example [0.7, 0.7]")
        return self

    @field_validator("vertical")
    @classmethod
    def _is_shipped(cls, name: str) -> str:
        vertical(name)
        return name

    @field_validator("rates_file")
    @classmethod
    def _has_rates(cls, path: Path | None) -> Path | None:
        if path is not None:
            read_rates(_text(path), "EUR")
        return path

    @field_validator("house_file")
    @classmethod
    def _tells_of_a_house(cls, path: Path | None) -> Path | None:
        if path is not None:
            read_house(_text(path), House())
        return path


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as wrong:
        raise ValueError(f"cannot be read: {wrong}") from wrong

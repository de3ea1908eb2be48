"""Models as an analyst is shown them: the live one first, then shadows, then what is there and off, each with what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.outlook import Model
from nextwave_scoring.churn.population import parameters_of
from nextwave_scoring.registry.registry import Models


def shelf(models: Models, baseline: Baseline) -> Iterator[dict[str, Any]]:
    """Trained models come with their `card`, the shipped baseline with its `parameters`."""
    cards = {card.full_name: card for card in models.cards}
    for model, role in [(models.live, "live"), *((model, "shadow") for model in models.shadows)]:
        yield _told(model, role, baseline) | {"card": cards.pop(model.name, None)}
    if models.live.name != baseline.name:
        yield _told(baseline, "off", baseline)
    for name, card in cards.items():
        yield {"name": name, "role": "off", "horizon_days": card.horizon_days, "features": card.features, "card": card}


def _told(model: Model, role: str, baseline: Baseline) -> dict[str, Any]:
    parameters = parameters_of(baseline.population) if model.name == baseline.name else None
    return {"name": model.name, "role": role, "horizon_days": model.horizon_days, "features": model.asks, "parameters": parameters}

"""Reads the folder of models: one sub-folder each, with a card and the model's file. What cannot be used is refused by name, alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from nextwave_scoring.churn.boosted import boosted
from nextwave_scoring.churn.calibration import Calibration
from nextwave_scoring.churn.card import FILES, Card, Kind
from nextwave_scoring.churn.logistic import logistic
from nextwave_scoring.churn.outlook import Model

CARD = "card.json"
_READERS: dict[Kind, Callable[[str, int, bytes, Calibration], Model]] = {"logistic": logistic, "lightgbm": boosted}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A folder whose model is not used, and why."""

    folder: str
    reason: str
    wanted_live: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a folder holds: usable models with their cards, and what was refused."""

    models: tuple[tuple[Card, Model], ...] = ()
    refused: tuple[Refusal, ...] = ()

    def of_role(self, role: str) -> tuple[Model, ...]:
        """The usable models of a role, by name."""
        return tuple(model for card, model in self.models if card.role == role)


def read_shelf(folder: Path) -> Shelf:
    """Reads every model of the folder, those that are `off` too; a folder that is not there holds none."""
    models: list[tuple[Card, Model]] = []
    refused: list[Refusal] = []
    for place in places(folder):
        card: Card | None = None
        try:
            card = read_card(place)
            models.append((card, read_model(place, card)))
        except (OSError, ValueError) as wrong:  # msgspec's, TreesError, UnknownFeatureError, CardError are ValueErrors
            refused.append(Refusal(place.name, str(wrong), wanted_live=card is None or card.role == "live"))
    return Shelf(tuple(models), tuple(refused))


def places(folder: Path) -> list[Path]:
    """The sub-folders that hold a card, by name; what begins with a dot is being written."""
    return sorted(card.parent for card in folder.glob(f"*/{CARD}") if not card.parent.name.startswith("."))


def read_card(place: Path) -> Card:
    """Raises `OSError` or `ValueError`."""
    card = msgspec.json.decode((place / CARD).read_bytes(), type=Card)
    if card.full_name != place.name:
        raise ValueError(f"the card is of {card.full_name}, its folder must have that name")
    return card


def read_model(place: Path, card: Card) -> Model:
    """Raises `OSError` or `ValueError`, also where the card forbids the role or tells other features than the model asks for."""
    if card.role == "live":
        card.check_live()
    if card.horizon_days < 1:
        raise ValueError("horizon_days must be at least 1")
    model = model_of(card, (place / FILES[card.kind]).read_bytes())
    if sorted(model.asks) != sorted(card.features):
        raise ValueError(f"the card tells the features {', '.join(card.features)}, but the model asks for {', '.join(model.asks)}")
    return model


def model_of(card: Card, file: bytes) -> Model:
    """The model of a card and the bytes of its file. Raises `ValueError`."""
    return _READERS[card.kind](card.full_name, card.horizon_days, file, Calibration(card.calibration))


def fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes whenever a file of the folder does: path, time of change (ns), size (bytes)."""
    files = (path for place in places(folder) for path in sorted(place.iterdir()) if path.is_file())
    return tuple((str(path), found.st_mtime_ns, found.st_size) for path in files for found in (path.stat(),))

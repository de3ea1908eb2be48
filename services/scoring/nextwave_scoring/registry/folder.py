"""Reads the folder of models: one sub-folder each, with a card and the model's file. What cannot be used is refused by name, alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from nextwave_scoring.churn.boosted import boosted
from nextwave_scoring.churn.calibration import Calibration
from nextwave_scoring.churn.card import FILES, Card
from nextwave_scoring.churn.logistic import logistic
from nextwave_scoring.churn.outlook import Model
from nextwave_scoring.churn.population import HORIZON_DAYS_MAX

CARD = "card.json"
CARD_BYTES_MAX = 1 << 20
MODEL_BYTES_MAX = 8 << 20
_UNUSABLE = (OSError, ValueError, TypeError, ArithmeticError, LookupError, RecursionError)
"""What reading may raise: readers say what is wrong (msgspec's, TreesError, CardError and others are ValueErrors), and whatever they
did not think of must not end the service, since a folder is written by others."""


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
        except _UNUSABLE as wrong:
            reason = str(wrong) or type(wrong).__name__
            refused.append(Refusal(_printable(place.name), _printable(reason), wanted_live=card is None or card.role == "live"))
    return Shelf(tuple(models), tuple(refused))


def places(folder: Path) -> list[Path]:
    """The sub-folders that hold a card, by name; what begins with a dot is being written."""
    return sorted(card.parent for card in folder.glob(f"*/{CARD}") if not card.parent.name.startswith("."))


def read_card(place: Path) -> Card:
    """Raises `OSError` or `ValueError`."""
    card = msgspec.json.decode(_bytes(place / CARD, CARD_BYTES_MAX), type=Card)
    if card.full_name != place.name:
        raise ValueError(f"the card is of {card.full_name}, its folder must have that name")
    return card


def read_model(place: Path, card: Card) -> Model:
    """Raises `OSError` or `ValueError`, also where the card forbids the role or tells other features than the model asks for."""
    if card.role == "live":
        card.check_live()
    if not 1 <= card.horizon_days <= HORIZON_DAYS_MAX:
        raise ValueError(f"horizon_days must be from 1 to {HORIZON_DAYS_MAX}")
    if bad := [name for name, (low, high) in card.ranges.items() if low > high or name not in card.features]:
        raise ValueError(f"ranges.{bad[0]}: give the lowest and the highest value of a feature of the model")
    model = model_of(card, _bytes(place / FILES[card.kind], MODEL_BYTES_MAX))
    if sorted(model.asks) != sorted(card.features):
        raise ValueError(f"the card tells the features {', '.join(card.features)}, but the model asks for {', '.join(model.asks)}")
    return model


def model_of(card: Card, file: bytes) -> Model:
    """The model of a card and the bytes of its file. Raises `ValueError`."""
    calibration = Calibration(card.calibration)
    match card.kind:
        case "logistic":
            return logistic(card.full_name, card.horizon_days, file, calibration, card.ranges)
        case "lightgbm":
            return boosted(card.full_name, card.horizon_days, file, calibration)


def _bytes(file: Path, most: int) -> bytes:
    """Raises `OSError` or `ValueError`: a pipe would be waited for, and an endless file read for ever."""
    if not file.is_file():
        raise ValueError(f"there is no file {file.name}")
    with file.open("rb") as opened:
        read = opened.read(most + 1)
    if len(read) > most:
        raise ValueError(f"{file.name} is larger than {most} bytes")
    return read


def _printable(text: str) -> str:
    """As it can be logged and sent: a folder's name may be any bytes."""
    return text.encode(errors="backslashreplace").decode()


def fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes whenever a file of the folder does: path, time of change (ns), size (bytes)."""
    files = (path for place in places(folder) for path in sorted(place.iterdir()) if path.is_file())
    return tuple((str(path), found.st_mtime_ns, found.st_size) for path in files for found in (path.stat(),))

"""What is written about a trained model: what it knows, what it learned from, how well it did, and what it is used for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Kind = Literal["logistic", "lightgbm"]
Role = Literal["live", "shadow", "off"]
Value = Annotated[float, Meta(ge=-1e15, le=1e15)]
"""Of a feature, within which no sum of terms leaves the finite numbers."""
Ranges = Mapping[str, tuple[Value, Value]]
"""By feature the lowest and the highest value that was learned from."""
FILES: dict[Kind, str] = {"logistic": "model.json", "lightgbm": "model.txt"}
"""The file beside the card that holds the model, by kind."""


class CardError(ValueError):
    """A card forbids the use of its model; the message says why."""


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """How well risks fitted what came: see `docs/models.md` for each number."""

    auc: float
    accuracy: float
    brier: float
    ece: float
    lift10: float
    customers: int
    left_share: float


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Days (ISO dates) learned from, the last one excluded."""

    start: str
    end: str


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file `card.json`. `calibration` is knots of log-odds (`churn.calibration`); empty: the model is used as it is."""

    name: str
    version: str
    kind: Kind
    role: Role
    features: tuple[str, ...]
    horizon_days: int
    data: str
    """Where the history came from."""
    window: Window | None = None
    """None for a table of customers without dates."""
    calibration: tuple[tuple[float, float], ...] = ()
    ranges: Ranges = {}
    """A logistic model takes what lies outside for the nearest value inside: a line says nothing of where nobody was. (Trees never do.)"""
    metrics: dict[str, Metrics] = {}
    """By judge: `model`, `baseline`, and for histories `time_split` (the model as it was before the check), `silence`, `silence_rule`."""
    forced: str = ""
    """Why it may be live although it did not beat the baseline."""

    @property
    def full_name(self) -> str:
        """`name@version`, as recorded with every risk."""
        return f"{self.name}@{self.version}"

    def check_live(self) -> None:
        """Raises `CardError` where the model may not be live: it must have beaten the baseline, or be forced with a reason."""
        model, baseline = self.metrics.get("time_split", self.metrics.get("model")), self.metrics.get("baseline")
        if self.forced:
            return
        if model is None or baseline is None:
            raise CardError(f"{self.full_name} has no metrics beside the baseline's, so it may not be live without a reason in `forced`")
        if not beats(model, baseline):
            raise CardError(
                f"{self.full_name} does not beat the baseline (AUC {model.auc:.4f} and {baseline.auc:.4f}, Brier {model.brier:.4f} and"
                f" {baseline.brier:.4f}; it must be better in one and not worse in the other), so it may not be live without a reason"
            )


def beats(model: Metrics, baseline: Metrics) -> bool:
    """Orders customers better or hits the probability better, and is worse in neither."""
    if model.auc < baseline.auc or model.brier > baseline.brier:
        return False
    return model.auc > baseline.auc or model.brier < baseline.brier

"""The value matrix: current by potential value, each low or high, with a slack against flapping, and what each cell may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec
from nextwave_contracts.customers import Cell

SLACK = 0.1
"""High stays high until the value falls below the threshold by more than this share of it."""
_HIGH: Mapping[str, tuple[bool, bool]] = {"I": (False, False), "II": (False, True), "III": (True, False), "IV": (True, True)}
"""Whether current and potential value are high in a cell."""
_CELL: Mapping[tuple[bool, bool], Cell] = {_HIGH[cell]: cell for cell in get_args(Cell)}


class Thresholds(msgspec.Struct, frozen=True, array_like=True):
    """From which values on (minor units) current and potential are high."""

    current_min: int
    potential_min: int
    since: int = 0
    """In force from this instant (microseconds) on."""
    customers: int = 0
    """How many customers they were taken from; 0: set by the user."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be spent on the customers of a cell."""

    effort: Literal["none", "moderate", "heavy", "top"]
    paid_channels: bool
    """Whether anything that costs may be used without being asked for."""
    personal_first: bool
    """Whether people (a call, a visit) come before machines."""
    meaning: str


POLICIES: Mapping[Cell, Policy] = {
    "I": Policy("none", paid_channels=False, personal_first=False, meaning="nothing that costs: self-service and transactional only"),
    "II": Policy("moderate", paid_channels=True, personal_first=False, meaning="win more of what is possible, at moderate cost"),
    "III": Policy("heavy", paid_channels=True, personal_first=False, meaning="keep what is earned today"),
    "IV": Policy("top", paid_channels=True, personal_first=True, meaning="personal channels first, the best service there is"),
}


def next_cell(before: str, current: int, potential: int, thresholds: Thresholds) -> Cell:
    """The cell of these values (minor units) for a customer who was in cell `before` (empty: in none)."""
    was_current, was_potential = _HIGH.get(before, (False, False))
    return _CELL[_is_high(current, thresholds.current_min, was_current), _is_high(potential, thresholds.potential_min, was_potential)]


def _is_high(value: int, least: int, was_high: bool) -> bool:
    return value >= least - (abs(least) * SLACK if was_high else 0)

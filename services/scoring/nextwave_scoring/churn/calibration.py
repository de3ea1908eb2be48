"""A calibration map as data: what a model's log-odds turned out to mean. It rises strictly, so it changes no order and no reason's sign."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

LOGIT_MAX = 1e6
SLOPE_MAX = 1e9
"""Within these bounds every finite log-odds stays finite."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Knots `(log-odds of the model, log-odds that came true)`, straight lines between them. None: unchanged.

    Beyond the outer of three knots or more nothing was seen, so a line there rises by 1 at most. Two knots are Platt's map (1999), which
    is a line everywhere; the blocks of an isotonic fit (Zadrozny & Elkan 2002) are any number. Raises `ValueError` where the knots do
    not rise.
    """

    knots: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if len(self.knots) == 1:
            raise ValueError("a calibration has no knots or at least two")
        if not all(abs(number) <= LOGIT_MAX for knot in self.knots for number in knot):
            raise ValueError(f"the numbers of a calibration must be between {-LOGIT_MAX:g} and {LOGIT_MAX:g}")
        if any(x >= x_next or y >= y_next for (x, y), (x_next, y_next) in pairwise(self.knots)):
            raise ValueError("both columns of the calibration must rise from line to line")
        if any(y_next - y > SLOPE_MAX * (x_next - x) for (x, y), (x_next, y_next) in pairwise(self.knots)):
            raise ValueError("two lines of the calibration are too near to each other: it would be a step")

    def __call__(self, logit: float) -> float:
        """The calibrated log-odds."""
        if not self.knots:
            return logit
        place = min(max(bisect_right(self.knots, (logit, float("inf"))), 1), len(self.knots) - 1)
        (x, y), (x_next, y_next) = self.knots[place - 1], self.knots[place]
        slope = (y_next - y) / (x_next - x)
        if len(self.knots) == 2 or x <= logit <= x_next:
            return y + (logit - x) * slope
        near, known = (y, x) if logit < x else (y_next, x_next)
        return near + (logit - known) * min(slope, 1.0)


NONE = Calibration()


def calibration_of(rows: Iterable[Iterable[float]]) -> Calibration:
    """From pairs of numbers as JSON or TOML have them. Raises `ValueError`."""
    pairs = [tuple(float(number) for number in row) for row in rows]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("each line of the calibration is a pair of numbers")
    return Calibration(tuple((pair[0], pair[1]) for pair in pairs))

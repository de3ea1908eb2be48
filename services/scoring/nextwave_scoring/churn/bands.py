"""Bands of the risk with hysteresis: up at once at an upper threshold, down only below a lower one and after a minimum stay."""

from __future__ import annotations

from bisect import bisect_right
from typing import get_args

from nextwave_contracts.customers import Band

from nextwave_scoring.instants import DAY

BANDS: tuple[Band, ...] = get_args(Band)
UP: dict[Band, float] = {"elevated": 0.35, "high": 0.60, "lost": 0.85}
"""The risk from which a customer is in the band."""
_STEPS = tuple(UP.values())
DOWN: dict[Band, float] = {"elevated": 0.28, "high": 0.50, "lost": 0.75}
"""The risk below which a customer leaves the band downwards."""
STAY = 3 * DAY
"""Least time in a band before a step down, microseconds."""


def first_band(risk: float) -> Band:
    """The band of a customer who had none."""
    return BANDS[bisect_right(_STEPS, risk)]


def next_band(band: Band, since: int, risk: float, at: int) -> Band:
    """The band at `at`, for a customer in `band` since `since` (microseconds)."""
    reached = first_band(risk)
    if BANDS.index(reached) >= BANDS.index(band):
        return reached
    return lower_band(band, risk) if at >= since + STAY else band


def lower_band(band: Band, risk: float) -> Band:
    """Where the risk alone would let the customer fall to."""
    while band != "low" and risk < DOWN[band]:
        band = BANDS[BANDS.index(band) - 1]
    return band


def ceiling(band: Band) -> float | None:
    """The risk at which the band above begins; None for the highest."""
    index = BANDS.index(band) + 1
    return UP[BANDS[index]] if index < len(BANDS) else None

"""How far a source's clock is from ours, in so few numbers that replicas can send them to each other and add them up. PURE.

The classes are those of DDSketch (Masson, Rim & Lee, VLDB 2019): logarithmic, so a quantile is right within an eighth of its value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

LEAST_SECONDS = 0.1
"""Whatever is nearer is class 0: it may be the way of the request."""
GROWTH = 1.25
_LOG_GROWTH = math.log(GROWTH)
_CLASSES_MAX = 120
"""The last one begins beyond a thousand years."""


def class_of(seconds: float) -> int:
    """The class of a distance, whose sign does not matter."""
    distance = abs(seconds)
    return 0 if distance <= LEAST_SECONDS else min(_CLASSES_MAX, math.ceil(math.log(distance / LEAST_SECONDS) / _LOG_GROWTH))


def quantile(distances: Mapping[int, int], share: float) -> float | None:
    """The distance in seconds that this share of the requests does not exceed; None without requests."""
    wanted, counted = share * sum(distances.values()), 0
    for number in sorted(distances):
        counted += distances[number]
        if counted >= wanted:
            return _middle(number)
    return None


def _middle(number: int) -> float:
    return round(LEAST_SECONDS * GROWTH ** (number - 0.5), 3) if number else 0.0

"""Chance that can be repeated: numbers in 0..1 drawn from a seed and what they are for."""

from __future__ import annotations

import hashlib
import math


def draw(seed: int, *purpose: object) -> float:
    """A number in [0, 1), always the same for the same seed and purpose, independent for others."""
    digest = hashlib.sha256("\0".join(map(str, (seed, *purpose))).encode()).digest()
    return int.from_bytes(digest[:7], "big") / float(1 << 56)


def exponential(mean: float, chance: float) -> float:
    """An exponentially distributed value of this mean, from a number in [0, 1); at most six times the mean."""
    return min(6.0 * mean, -mean * math.log(1.0 - chance))

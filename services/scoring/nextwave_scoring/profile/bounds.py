"""Bounds that leave no trace of order: what was forgotten once can never come back with a part of itself missing."""

from __future__ import annotations

from typing import Any, TypeVar
from zlib import crc32

Fact = TypeVar("Fact")
SUM_MAX = 2**53
"""Of money, minor units: more than any customer brings; readers of JSON have it to the last unit, and what follows from it fits 64 bits."""


def sampled(facts: dict[str, Fact], most: int) -> dict[str, Fact]:
    """The `most` keys with the smallest hash (a bottom-k sample; Cohen & Kaplan 2007): sums under them are complete.

    A key that gave way to `most` smaller ones would always do so again, so its sum is never begun anew.
    """
    return facts if len(facts) <= most else {key: facts[key] for key in sorted(facts, key=_hashed)[:most]}


def has_room(facts: dict[str, Any], key: str, most: int) -> bool:
    """Whether a new key would stay in the sample; for the hot path, before anything is made for it."""
    return key in facts or len(facts) < most or _hashed(key) < max(map(_hashed, facts))


def newest(facts: dict[str, int], most: int) -> dict[str, int]:
    """The `most` with the newest instant. Each key keeps only its newest, so one that comes back brings all of itself."""
    return facts if len(facts) <= most else dict(sorted(facts.items(), key=lambda item: (-item[1], item[0]))[:most])


def added(a: int, b: int) -> int:
    """A sum of money that stays at `SUM_MAX`, as where it is reached nothing is real any more (of losses at `-SUM_MAX`)."""
    return max(-SUM_MAX, min(a + b, SUM_MAX))


def _hashed(key: str) -> tuple[int, str]:
    return crc32(key.encode()), key

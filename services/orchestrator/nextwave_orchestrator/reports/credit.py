"""Who shares in a benefit: whoever contacted the customer before, each contact alike, in whole minor units that add up exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from nextwave_orchestrator.state import Touch


class Toucher(NamedTuple):
    """What a contact is credited to."""

    campaign: str
    version: int
    wave: str
    segment: str
    channel: str


def shared(value: int, touches: Iterable[Touch], at: datetime, within: timedelta) -> list[tuple[Toucher, int, int]]:
    """Of a benefit that came at `at` the share of each toucher and its contacts, in order of name; empty where nobody had contacted.

    A contact at `t` shares when `t <= at < t + within`.
    """
    found = Counter(
        Toucher(touch.campaign, touch.version, touch.wave, touch.segment, touch.channel)
        for touch in touches
        if touch.at <= at < touch.at + within
    )
    touchers = sorted(found)
    parts = apportioned(value, [found[toucher] for toucher in touchers])
    return [(toucher, part, found[toucher]) for toucher, part in zip(touchers, parts, strict=True)]


def apportioned(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts by weights (each above 0) that add up to it exactly: the largest remainders get one more, the first of equals.

    Hamilton's method. No weights, no parts.
    """
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in by_remainder[: total - sum(parts) if weights else 0]:
        parts[n] += 1
    return parts

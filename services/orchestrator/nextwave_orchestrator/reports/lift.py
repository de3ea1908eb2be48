"""What contact is worth: the difference in conversion between who could be contacted and who was held out, and how sure it is."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import msgspec

Z95 = 1.959963984540054
"""The standard normal's 97.5 % quantile."""
METHOD = "difference of two shares, 95 % interval by Newcombe's hybrid score method (Statistics in Medicine 17, 1998, method 10)"


class Arm(NamedTuple):
    """Customers who entered for the first time, and those of them whose goal was reached within its time."""

    entered: int = 0
    converted: int = 0


class Lift(msgspec.Struct, frozen=True, kw_only=True):
    """`lift` and its interval are differences of shares (0.01: one point); None where one of the arms is empty.

    `extra_*` are what contact brought among all who entered: goals, and minor units before cost.
    """

    against: str
    method: str = METHOD
    entered: int
    converted: int
    rate: float | None
    held_out: int
    held_out_converted: int
    held_out_rate: float | None
    lift: float | None = None
    low: float | None = None
    high: float | None = None
    extra_goals: float | None = None
    extra_goals_low: float | None = None
    extra_goals_high: float | None = None


def lift(treated: Arm, held: Arm, against: str) -> Lift:
    """The comparison of both arms."""
    arms = Lift(
        against=against,
        entered=treated.entered,
        converted=treated.converted,
        rate=share(*treated[::-1]),
        held_out=held.entered,
        held_out_converted=held.converted,
        held_out_rate=share(*held[::-1]),
    )
    if not treated.entered or not held.entered:
        return arms
    found, low, high = difference(treated, held)
    goals = [one * treated.entered for one in (found, low, high)]
    return msgspec.structs.replace(
        arms, lift=found, low=low, high=high, extra_goals=goals[0], extra_goals_low=goals[1], extra_goals_high=goals[2]
    )


def difference(treated: Arm, held: Arm) -> tuple[float, float, float]:
    """The difference of shares and its interval, of two arms that are not empty: each bound from the nearest ends of Wilson's intervals."""
    p, q = treated.converted / treated.entered, held.converted / held.entered
    (p_low, p_high), (q_low, q_high) = wilson(treated), wilson(held)
    found = p - q
    return found, found - sqrt((p - p_low) ** 2 + (q_high - q) ** 2), found + sqrt((p_high - p) ** 2 + (q - q_low) ** 2)


def wilson(arm: Arm) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share (J. Am. Stat. Assoc. 22, 1927)."""
    n, p = arm.entered, arm.converted / arm.entered
    middle, spread = p + Z95**2 / (2 * n), Z95 * sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
    scale = 1 + Z95**2 / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def share(part: int, whole: int) -> float | None:
    """None of nothing."""
    return part / whole if whole else None

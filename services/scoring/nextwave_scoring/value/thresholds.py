"""Which thresholds divide low from high: money that the user set, or quantiles of all customers, taken once a day as data with a beginning.

A judgement at an instant uses what was in force at it, so judging again gives the same cell, whenever it is done.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nextwave_scoring.instants import DAY
from nextwave_scoring.quantiles import Tally, counted, quantile
from nextwave_scoring.value.cells import Thresholds

CUSTOMERS_MIN = 100
"""Quantiles of fewer customers say nothing; what was in force stays."""
LEAD = DAY
"""From taking to coming into force, microseconds: by then every replica has read them, before its first judgement that uses them."""
DIGITS = 2
"""Thresholds are rounded to so many significant digits, so that small movements make no new ones."""


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """What the user set: amounts in minor units, or the shares (0..1) of customers that shall be low."""

    by: Literal["money", "quantile"] = "money"
    current: float = 5_000
    potential: float = 2_500


def first_thresholds(rule: ThresholdRule, fallback: Thresholds) -> Thresholds:
    """What is in force before any were taken: the amounts set, or `fallback` until there are customers to take quantiles from."""
    return Thresholds(round(rule.current), round(rule.potential)) if rule.by == "money" else fallback


def next_taking(at: int) -> int:
    """When thresholds are taken next: the first midnight (UTC) after `at`, microseconds."""
    return (at // DAY + 1) * DAY


def take_thresholds(rule: ThresholdRule, tallies: tuple[Tally, Tally], at: int, newest: Thresholds) -> Thresholds | None:
    """New thresholds from the tallies of current and potential value of all customers; None where those known stay as they are.

    `newest` are the thresholds taken last, whether or not they are in force yet.
    """
    customers = counted(tallies[0])
    if rule.by == "money" or customers < CUSTOMERS_MIN:
        return None
    current, potential = quantile(tallies[0], rule.current), quantile(tallies[1], rule.potential)
    taken = Thresholds(rounded(current), rounded(potential), at + LEAD, customers)
    same = (taken.current_min, taken.potential_min) == (newest.current_min, newest.potential_min)
    return None if same else taken


def in_force(versions: Sequence[Thresholds], at: int) -> Thresholds:
    """The newest of `versions` (by `since`, oldest first, at least one) that had begun at `at`; the oldest where none had."""
    return versions[max(bisect_right(versions, at, key=lambda version: version.since) - 1, 0)]


def rounded(amount: int) -> int:
    """To `DIGITS` significant digits, halves away from 0; at least 1, so that a customer worth nothing is never high."""
    step: int = 10 ** max(len(str(abs(amount))) - DIGITS, 0)
    return max((amount + step // 2) // step * step, 1)

"""From a random sample to a size: how many customers a segment has, and how sure that is."""

from __future__ import annotations

from math import sqrt

import msgspec

Z95 = 1.959964
"""Two-sided 95 % of the normal distribution."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """`size` customers of about `customers`, and with 95 % confidence from `low` to `high`; all the same where `exact`.

    `matched` of `sampled` customers that were looked at are in the segment.
    """

    size: int
    low: int
    high: int
    exact: bool
    sampled: int
    matched: int
    customers: int


def estimate(matched: int, sampled: int, customers: int, *, whole: bool) -> Estimate:
    """Wilson's score interval for the share (E. B. Wilson, 1927), which stays sensible for none and for all, times `customers`.

    `whole`: everybody was looked at, so that nothing is estimated. At least what was seen is there: `customers` may itself be estimated.
    """
    if whole:
        return Estimate(size=matched, low=matched, high=matched, exact=True, sampled=sampled, matched=matched, customers=sampled)
    customers = max(customers, sampled)
    low, high = _wilson(matched, sampled) if sampled else (0.0, 1.0)
    return Estimate(
        size=round(matched / sampled * customers) if sampled else 0,
        low=max(matched, int(low * customers)),
        high=min(customers, -int(-high * customers // 1)),
        exact=False,
        sampled=sampled,
        matched=matched,
        customers=customers,
    )


def _wilson(matched: int, sampled: int) -> tuple[float, float]:
    share, spread = matched / sampled, Z95**2 / sampled
    centre = (share + spread / 2) / (1 + spread)
    half = sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)

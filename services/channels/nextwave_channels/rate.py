"""How many sends a provider allows in a time: the generic cell rate algorithm, purely.

All that it remembers is one instant per route, the one at which the allowance is whole again; replicas share it as a row.
Source: ITU-T I.371, the virtual scheduling form. Times are Unix seconds of one clock, the database's.
"""

from __future__ import annotations

from dataclasses import dataclass

NEVER = float("-inf")
"""Nothing was sent yet."""
_PART = 1e-6
"""Instants around 2e9 s are known to less than a microsecond; without this a full allowance would sometimes count as one less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`per_second` in the long run; up to `burst` at once."""

    per_second: float
    burst: int


def left(rate: Rate, whole_at: float, now: float) -> int:
    """How many may go now."""
    return max(0, int(rate.burst - _debt(rate, whole_at, now) * rate.per_second + _PART))


def spend(rate: Rate, whole_at: float, now: float, count: int) -> float:
    """The new instant after `count` were sent."""
    return now + _debt(rate, whole_at, now) + count / rate.per_second


def wait_seconds(rate: Rate, whole_at: float, now: float) -> float:
    """How long until one may go; 0 when it may now."""
    return max(0.0, _debt(rate, whole_at, now) - (rate.burst - 1) / rate.per_second)


def _debt(rate: Rate, whole_at: float, now: float) -> float:
    """Seconds until the allowance is whole. It is never more than a whole burst: a clock that was set back must not stop a provider."""
    return min(max(whole_at - now, 0.0), rate.burst / rate.per_second)

"""Two kinds of time. Business time comes from a `Clock` port and may run fast on one machine; technical time is never scaled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec


class Clock(Protocol):
    """Business time: occurrence, windows, contact hours, caps, reviews."""

    def now(self) -> datetime:
        """The business instant, UTC."""

    def at(self, wall_seconds: float) -> datetime:
        """The business instant of a wall-clock instant (seconds since the Unix epoch), for instance a broker's time stamp."""


class ClockSetting(msgspec.Struct, frozen=True, kw_only=True):
    """How business time follows the wall clock: `origin + (wall - epoch_seconds) * speed`. The default is the wall clock itself."""

    epoch_seconds: float = 0.0
    origin: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    speed: float = 1.0

    def at(self, wall_seconds: float) -> datetime:
        """The business instant of a wall instant, to the microsecond."""
        return self.origin + timedelta(seconds=(wall_seconds - self.epoch_seconds) * self.speed)

    def wall(self, business: datetime) -> float:
        """The wall instant (Unix seconds) at which business time will be `business`."""
        return self.epoch_seconds + (business - self.origin).total_seconds() / self.speed

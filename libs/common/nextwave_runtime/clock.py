"""The wall clock, and business time that follows it."""

from __future__ import annotations

import time
from datetime import datetime

from nextwave_contracts.clock import ClockSetting


class SystemClock:
    """Business time of this machine's wall clock."""

    def __init__(self, setting: ClockSetting) -> None:
        self._setting = setting

    def now(self) -> datetime:
        """The business instant, UTC."""
        return self._setting.at(time.time())

    def at(self, wall_seconds: float) -> datetime:
        """The business instant of a wall instant (Unix seconds)."""
        return self._setting.at(wall_seconds)

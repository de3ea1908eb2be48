"""The wall clock, and business time that follows it: this machine's, or the database's carried on so that no clock's jump moves it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Protocol

import structlog
from nextwave_contracts.clock import Clock, ClockSetting

from nextwave_runtime import metrics
from nextwave_runtime.database import UNAVAILABLE

LOOK_SECONDS = 1.0
AGREE_SECONDS = 300.0
"""Clocks that are further apart than this do not agree: one of them has jumped."""
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_log = structlog.get_logger()


def steady_seconds() -> float:
    """Seconds that never jump, and that also pass while the process is stopped or (where the system can tell) the machine sleeps."""
    return time.clock_gettime(_STEADY)


class WallClock(Clock, Protocol):
    """Business time, and the wall time that it follows."""

    def wall(self) -> float:
        """The wall instant (Unix seconds)."""

    def today(self) -> date:
        """The wall day (UTC)."""

    @property
    def sure(self) -> bool:
        """False while nobody can say which of two clocks is right: nothing may begin because its time has come."""


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


class DatabaseClock:
    """Business time of the database's clock, the same for all replicas, carried on between looks (docs/decisions/0004-clock-and-stops.md).

    `ask` gives what the database's clock shows, `own` what this process's wall clock does (both Unix seconds), `steady` seconds that never
    jump. A small difference is followed; at one of more than `AGREE_SECONDS` the carried time goes on and is not `sure`.
    """

    def __init__(
        self,
        setting: ClockSetting,
        ask: Callable[[], Awaitable[float]],
        *,
        steady: Callable[[], float] = steady_seconds,
        own: Callable[[], float] = time.time,
    ) -> None:
        self._setting = setting
        self._ask = ask
        self._steady = steady
        self._own = own
        self._ahead: float | None = None
        """Wall time less steady time; None until the first look."""
        self._disagreeing: set[str] = set()

    def now(self) -> datetime:
        """The business instant, UTC."""
        return self._setting.at(self.wall())

    def at(self, wall_seconds: float) -> datetime:
        """The business instant of a wall instant (Unix seconds)."""
        return self._setting.at(wall_seconds)

    def wall(self) -> float:
        """The wall instant (Unix seconds)."""
        assert self._ahead is not None, "the clock is set before anything runs"
        return self._steady() + self._ahead

    def today(self) -> date:
        """The wall day (UTC)."""
        return datetime.fromtimestamp(self.wall(), UTC).date()

    @property
    def sure(self) -> bool:
        """Whether the database's clock and the carried one agree."""
        return "database" not in self._disagreeing

    async def set(self) -> None:
        """The first look, which believes the database; waits for it as long as it is away."""
        while True:
            try:
                await self.look()
            except UNAVAILABLE as error:
                _log.warning("clock_waits_for_the_database", error=repr(error)[:300])
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return

    async def follow(self) -> None:
        """Looks again and again until cancelled; while the database is away the time is carried on."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except UNAVAILABLE as error:
                _log.info("clock_carried_on", error=repr(error)[:300])

    async def look(self) -> None:
        """Compares with the database once. Raises what it raises when it is away.

        It answered at some instant between question and answer, so what it says is a span; time within the span stays as it is, and
        however long the answer took, that alone moves nothing.
        """
        asked = self._steady()
        said = await self._ask()
        earliest, latest = said - self._steady(), said - asked
        known = earliest if self._ahead is None else self._ahead
        off = min(max(known, earliest), latest) - known
        self._ahead = known + off if abs(off) <= AGREE_SECONDS else known
        self._judge("database", off)
        self._judge("own", self._own() - self.wall())

    def _judge(self, clock: str, off: float) -> None:
        """The alarm, raised and ended once each. Nothing hangs on the process's `own` clock; it is wrong all the same."""
        metrics.CLOCK_OFF.labels(clock).set(off)
        disagrees = abs(off) > AGREE_SECONDS
        if disagrees and clock not in self._disagreeing:
            self._disagreeing.add(clock)
            _log.error("clock_disagrees", clock=clock, seconds=round(off, 3), paused=clock == "database")
        elif not disagrees and clock in self._disagreeing:
            self._disagreeing.discard(clock)
            _log.warning("clock_agrees_again", clock=clock, seconds=round(off, 3))

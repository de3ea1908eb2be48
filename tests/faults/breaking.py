"""Switches for tests only: each breaks one mechanism in a process of its own, by changing the code after it is loaded.

Nothing of this is in the services. `python -m faults.breaking MECHANISM,... MODULE` runs a service without these mechanisms.
"""

from __future__ import annotations

import runpy
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from nextwave_runtime import clock, outbox, progress, seen, sifting, watermarks
from nextwave_runtime.database import Statement
from nextwave_runtime.progress import Input
from sqlalchemy.ext.asyncio import AsyncConnection


def _without_seen() -> None:
    async def everything_is_new(connection: AsyncConnection, ids: Sequence[str], day: date) -> set[str]:
        return set(ids)

    seen.first_time = everything_is_new


def _without_marks() -> None:
    def always_new(*_places: Any, **_flags: Any) -> str:
        return "new"

    sifting.judge = always_new  # type: ignore[assignment]


def _without_fence() -> None:
    progress._ADVANCE = Statement(progress._ADVANCE.written.partition(" and epoch")[0])


def _without_outbox() -> None:
    async def nothing(connection: AsyncConnection, key: Input) -> list[Any]:
        return []

    outbox.pending = nothing


def _without_watermark() -> None:
    def everything_was_taken_in(_tracker: object, _marks: object) -> datetime:
        return datetime(9000, 1, 1, tzinfo=UTC)

    watermarks.WatermarkTracker.low = everything_was_taken_in  # type: ignore[assignment,method-assign]


def _without_clock() -> None:
    def of_this_process(_clock: object) -> float:
        return time.time()

    clock.DatabaseClock.wall = of_this_process  # type: ignore[assignment,method-assign]
    clock.DatabaseClock.sure = True  # type: ignore[assignment,method-assign]


def _without_gate() -> None:
    from nextwave_channels import gate  # noqa: PLC0415  (only a process of the channels has it)

    def send_it(*_given: object) -> gate.Claim:
        return gate.Claim()

    gate.check = send_it  # type: ignore[assignment]


def _without_acknowledgement() -> None:
    from nextwave_ingest import lane  # noqa: PLC0415  (only a process of ingest has it)

    add = lane.Lane.add

    def landed_at_once(self: Any, record: Any, size: int) -> lane.Group:
        add(self, record, size)
        return lane.Group(batch=None, born=0.0, ended=True)

    lane.Lane.add = landed_at_once  # type: ignore[method-assign]


MECHANISMS: Mapping[str, Callable[[], None]] = {
    "seen": _without_seen,
    "marks": _without_marks,
    "fence": _without_fence,
    "outbox": _without_outbox,
    "watermark": _without_watermark,
    "clock": _without_clock,
    "gate": _without_gate,
    "acknowledgement": _without_acknowledgement,
}
MEANINGS: Mapping[str, str] = {
    "seen": "ids born at doors are not remembered: repetitions are taken in again",
    "marks": "origin marks are ignored: what a processor publishes again is taken in again",
    "fence": "a former owner of a partition may still write",
    "outbox": "what was committed and not yet published is forgotten by the next owner",
    "watermark": "timers fire by the clock alone, over unread answers",
    "clock": "business time follows the wall clock of each process",
    "gate": "the claim does not look at stops, hours and freshness again",
    "acknowledgement": "ingest answers 2xx before Kafka has acknowledged",
}
AT_WORK_IN: Mapping[str, frozenset[str]] = {
    "gate": frozenset({"channels"}),
    "acknowledgement": frozenset({"ingest"}),
    **{name: frozenset({"scoring", "orchestrator", "channels"}) for name in ("seen", "marks", "fence", "outbox", "watermark", "clock")},
}
"""Which services have the mechanism."""


def at_work_in(service: str, mechanisms: Sequence[str]) -> list[str]:
    """Those of the mechanisms that a service has."""
    return [mechanism for mechanism in mechanisms if service in AT_WORK_IN[mechanism]]


if __name__ == "__main__":
    mechanisms, module = sys.argv[1:]
    for name in mechanisms.split(","):
        MECHANISMS[name]()
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)

"""What the items of a body are found to be, one by one: others have their turn between them, and what takes long is done beside them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

import structlog

from nextwave_ingest import metrics
from nextwave_ingest.admission import ITEMS_MAX, Admitted, Ignored, Refusal, RefusedError, Report
from nextwave_ingest.mappings.compiled import FAILED, Compiled
from nextwave_ingest.mappings.effort import LongError, Meter
from nextwave_ingest.reception import Reception
from nextwave_ingest.turns import Turn

Beside = Callable[[Callable[[], None]], Awaitable[None]]
"""Does something where no other request waits for it."""
_log = structlog.get_logger()


class Judging:
    """One body of a source, understood by a mapping. `indexes` has the place of the item of each verdict."""

    def __init__(self, reception: Reception, mapping: Compiled, source: str, at: datetime) -> None:
        self.verdicts: list[Admitted | Refusal] = []
        self.indexes: list[int] = []
        self.ignored: list[Ignored] = []
        self._reception = reception
        self._mapping = mapping
        self._taken = (source, at)
        self._meter = Meter(patient=False)
        self._understood = 0

    def keep(self, refusal: Refusal) -> None:
        """A body whose items nobody knows is one refused item."""
        self.verdicts.append(refusal)
        self.indexes.append(0)

    async def judge(self, items: Sequence[bytes], beside: Beside) -> None:
        """Raises `RefusedError` for the whole body, and whatever `beside` raises."""
        turn = Turn()
        for index, item in enumerate(items):
            try:
                self._one(index, item)
            except LongError:
                self._meter.patient = True
                await beside(partial(self._rest, items, index))
                return
            if time.monotonic() >= turn.until:
                await turn.pass_on()

    def _rest(self, items: Sequence[bytes], begin: int) -> None:
        for index in range(begin, len(items)):
            self._one(index, items[index])

    def _one(self, index: int, item: bytes) -> None:
        source, at = self._taken
        found = self._mapping.understand_all(item, source=source, received_at=at, meter=self._meter, ignored=self.ignored.append)
        self._understood += len(found)
        if self._understood > ITEMS_MAX:
            raise RefusedError("", f"these items are more than {ITEMS_MAX} touchpoints; send smaller batches", "too_large")
        _report_failures(found, source, self._mapping.name)
        weighed = _kept_once([self._reception.weigh(one, item, source, at) for one in found])
        self.verdicts += weighed
        self.indexes += [index] * len(weighed)


def _kept_once(verdicts: list[Admitted | Refusal]) -> list[Admitted | Refusal]:
    """The verdicts of all rules on one item, its refusals as one."""
    refused = [verdict for verdict in verdicts if isinstance(verdict, Refusal)]
    if len(refused) < 2:
        return verdicts
    once = Refusal(refused[0].item, refused[0].error, tuple(one.error for one in refused[1:]))
    return [*(verdict for verdict in verdicts if isinstance(verdict, Admitted)), once]


def _report_failures(found: Sequence[Report | RefusedError], source: str, mapping: str) -> None:
    """An error of ours is counted and found in the log, too."""
    for one in found:
        if isinstance(one, RefusedError) and one.reason == FAILED:
            metrics.RULES_FAILED.labels(mapping).inc()
            _log.error("mapping_failed", source=source, detail=one.detail)

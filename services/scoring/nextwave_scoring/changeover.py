"""Notices that something else judges customers than before, in this process or since it last ran, and orders all to be judged anew."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from nextwave_contracts.clock import Clock
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_runtime import timers
from nextwave_runtime.broker_away import BROKER_AWAY
from nextwave_runtime.database import UNAVAILABLE, Database
from nextwave_runtime.membership import partition_count

from nextwave_scoring import store
from nextwave_scoring.assessment import House
from nextwave_scoring.churn.outlook import Model
from nextwave_scoring.customer import Judge
from nextwave_scoring.rejudging import first_pages

LOOK_SECONDS = 1.0
OTHERS_WAIT = timedelta(seconds=5)
"""Business time until the first page: by then every replica has the new model, which each looks for every two seconds."""
_log = structlog.get_logger()


@dataclass(slots=True)
class Changeover:
    """One for each replica; the first that tells the database orders it."""

    judge: Judge
    database: Database
    clock: Clock
    kafka: str
    _told: Model | None = field(default=None, init=False)
    """The live model that the database was told of last; a house does not change while a process runs."""

    async def follow(self) -> None:
        """Looks for ever."""
        while True:
            try:
                await self.look()
            except (*UNAVAILABLE, *BROKER_AWAY) as error:
                _log.warning("changeover_waits", error=repr(error)[:300])
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> bool:
        """Whether all customers are to be judged anew, which is ordered in the transaction that says so."""
        live = self.judge.models.current.live
        if live is self._told:
            return False
        partitions = await partition_count(self.kafka, TOUCHPOINTS.name)
        if not partitions:
            return False
        async with self.database.transaction() as connection:
            changed = await store.judges_changed(connection, judged_by(live, self.judge.house))
            if changed:
                await timers.schedule(connection, first_pages(self.clock.now() + OTHERS_WAIT, partitions))
        self._told = live
        if changed:
            _log.info("customers_are_judged_anew", model=live.name)
        return changed


def judged_by(live: Model, house: House) -> str:
    """What judges customers: the live model's name, and a digest of it and of what the house says, the same in every process."""
    return f"{live.name} {hashlib.sha256(repr((live, house)).encode()).hexdigest()[:16]}"

"""Which calls may leave now: by the agents of each list, and by how often a number and a person were called; asked in every claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import store
from nextwave_channels.call_lists import predictive, table
from nextwave_channels.call_lists.limits import WINDOW, Limits, Made
from nextwave_channels.call_lists.predictive import Capacity
from nextwave_channels.call_lists.ways import Way, Ways
from nextwave_channels.delivery import Delivery
from nextwave_channels.gate import Claim, Ruling
from nextwave_channels.store import Selection

CHANNEL = "call"


@dataclass(frozen=True, slots=True)
class Release:
    """The calls of the lists that go one way."""

    ways: Ways
    way: Way
    limits: Limits

    async def lock_due(self, connection: AsyncConnection, selection: Selection, limit: int, now: datetime) -> list[Delivery]:
        """See `store.lock_due`: of each list not more than its agents can take, so that the transaction's claim is counted by the next."""
        await table.enter_claim(connection)
        said = await table.capacities(connection)
        due = self._its(await table.due(connection)) if selection.list is None else {selection.list: now}
        found: list[Delivery] = []
        for name in (name for name, at in due.items() if at <= now):
            room = min(limit, await released(connection, name, said[name], now)) if name in said else limit
            found += await store.lock_due(connection, Selection(CHANNEL, list=name), room, now) if room else []
        return sorted(found, key=_urgency)[:limit]

    def next_due(self, due: Mapping[str, datetime]) -> datetime | None:
        """The earliest business instant at which a call that goes this way is due, given that of each list; None when nothing is queued."""
        return min(self._its(due).values(), default=None)

    async def rule(self, connection: AsyncConnection, due: Sequence[Delivery], rulings: Sequence[Ruling], now: datetime) -> list[Ruling]:
        """The gate's rulings within the limits of numbers and persons; calls that may begin are written down as begun."""
        contacts = [delivery.contact for delivery in due]
        made = Made(await table.made(connection, contacts, now - WINDOW))
        ruled = [made.rule(contact, ruling, self.limits, now) for contact, ruling in zip(contacts, rulings, strict=True)]
        begun = [delivery for delivery, ruling in zip(due, ruled, strict=True) if isinstance(ruling, Claim)]
        if begun:
            await table.begin(connection, begun, now)
        return ruled

    def _its(self, due: Mapping[str, datetime]) -> dict[str, datetime]:
        """From when on something is due on each list that goes this way; what goes another way is not looked through."""
        return {name: at for name, at in due.items() if self.ways.of(name) == self.way}


async def released(connection: AsyncConnection, name: str, said: Capacity, now: datetime) -> int:
    """How many calls of a limited list may leave now."""
    if not said.agents:
        return 0
    under_way = await table.open_calls(connection, name, said, now)
    seen = await table.seen(connection, name, now)
    return predictive.released(said, seen, talking=under_way.talking, ringing=under_way.ringing)


def _urgency(delivery: Delivery) -> tuple[bool, float]:
    """The order in which `store.lock_due` takes them."""
    return delivery.contact.purpose in {"marketing", "care"}, -delivery.contact.value

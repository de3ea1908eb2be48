"""What a provider knows of the messages it took, for whoever looks one up: the last ones only, as providers keep them for a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from nextwave_local.simulator.message import Message

KEPT_MAX = 20_000


@dataclass(frozen=True)
class Record:
    """One message, when it was taken, and the statuses it goes through (business instants)."""

    message: Message
    taken_at: datetime
    statuses: tuple[tuple[datetime, str], ...]

    def status(self, now: datetime) -> str:
        """Where it stands."""
        return next((status for at, status in reversed(self.statuses) if at <= now), "queued")


class Records:
    """By the provider's id. The oldest go when there are too many."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Record] = OrderedDict()

    def keep(self, record: Record) -> None:
        """Remembers a message."""
        self._known[record.message.sid] = record
        if len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)

    def of(self, provider: str, sid: str) -> Record | None:
        """One message of a provider, or None."""
        record = self._known.get(sid)
        return record if record and record.message.provider == provider else None

    def newest_first(self, provider: str, kind: str) -> Iterator[Record]:
        """What a provider has of a kind."""
        return (r for r in reversed(self._known.values()) if (r.message.provider, r.message.kind) == (provider, kind))

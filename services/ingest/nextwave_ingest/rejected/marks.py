"""Which rejected records were redriven, by whom and when: as the topic has it, for every replica."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec
from nextwave_contracts.redriven import Redriven
from nextwave_contracts.topics import REDRIVEN
from nextwave_contracts.wire import decode

from nextwave_ingest.follower import Follower
from nextwave_ingest.rejected.entries import Entry

MARKS_MAX = 50_000
"""The newest, which every replica keeps in memory."""


class Mark(NamedTuple):
    """When a record was last redriven, and by whose key."""

    at: datetime
    by: str


class Marks:
    """By the place of a rejected record."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}
        self._unheard: Callable[[], str] = lambda: ""

    def follower(self, bootstrap: str) -> Follower:
        """Who hears the topic for it. Until all of it is heard nobody can say what was never redriven."""
        follower = Follower(bootstrap, REDRIVEN, self.take)
        self._unheard = lambda: follower.fault
        return follower

    @property
    def fault(self) -> str:
        """Why not all marks are known yet, or an empty text."""
        return self._unheard()

    def take(self, value: bytes) -> None:
        """Hears a record of the topic. Raises whatever a stranger's record brings about, with nothing taken."""
        said = decode(value, Redriven)
        known = self._marks.pop(said.id, None)
        mark = Mark(said.at, sys.intern(said.by))
        self._marks[said.id] = max(mark, known) if known else mark
        if len(self._marks) > MARKS_MAX:
            del self._marks[next(iter(self._marks))]

    def on(self, entry: Entry) -> Entry:
        """The entry with its mark."""
        mark = self._marks.get(entry.id)
        return entry if mark is None else msgspec.structs.replace(entry, redriven_at=mark.at, redriven_by=mark.by)

    def has(self, place: str) -> bool:
        """Whether the record was redriven."""
        return place in self._marks

"""The last different things that were noted of a source: each once, with how often it came. PURE."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from msgspec.structs import replace
from nextwave_contracts.sources import Noted

RECENT_MAX = 20
"""Different things that are told of a source, of each sort."""
_newest = attrgetter("at", "door", "reason", "pointer", "detail")
Key = tuple[str, str, str, str]


class Notes:
    """Those that came last."""

    def __init__(self) -> None:
        self._kept: dict[Key, Noted] = {}

    def add(self, noted: Noted) -> None:
        """Beside what was noted before; what has not come for longest makes room."""
        before = self._kept.pop(_key(noted), None)
        self._kept[_key(noted)] = noted if before is None else replace(noted, times=before.times + noted.times)
        if len(self._kept) > RECENT_MAX:
            del self._kept[next(iter(self._kept))]

    def all(self) -> tuple[Noted, ...]:
        """Oldest first."""
        return tuple(self._kept.values())


def together(notes: Iterable[Noted]) -> list[Noted]:
    """What several replicas noted, in whatever order: newest first."""
    sums: dict[Key, Noted] = {}
    for one in notes:
        other = sums.get(_key(one))
        sums[_key(one)] = one if other is None else replace(one, at=max(one.at, other.at), times=one.times + other.times)
    return sorted(sums.values(), key=_newest, reverse=True)[:RECENT_MAX]


def _key(noted: Noted) -> Key:
    return noted.door, noted.reason, noted.pointer, noted.detail

"""Which of the versions that were written count: the rule by which every reader of the log has the same mappings. PURE."""

from __future__ import annotations

from collections import deque

from nextwave_contracts.mappings import MappingVersion

VERSIONS_KEPT = 20
"""Of one mapping, the newest; older ones are on the topic only."""


class History:
    """The versions of every name, taken in one by one in the order of the topic. The same record again changes nothing."""

    def __init__(self) -> None:
        self._versions: dict[str, deque[MappingVersion]] = {}

    def take(self, written: MappingVersion) -> bool:
        """Takes it in if its number follows that of the name's newest (the first is 1); whether it did. Of two writers the first wins."""
        if written.version != self.number(written.name) + 1:
            return False
        self._versions.setdefault(written.name, deque(maxlen=VERSIONS_KEPT)).append(written)
        return True

    def number(self, name: str) -> int:
        """The number of a name's newest version, retired or not; 0 where nobody has written one."""
        kept = self._versions.get(name)
        return kept[-1].version if kept else 0

    def in_force(self, name: str) -> MappingVersion | None:
        """A name's newest version, unless it retires the name."""
        kept = self._versions.get(name)
        return kept[-1] if kept and not kept[-1].retired else None

    def of(self, name: str) -> tuple[MappingVersion, ...]:
        """A name's versions, oldest first."""
        return tuple(self._versions.get(name, ()))

    def names(self) -> tuple[str, ...]:
        """Every name that was ever written, in order."""
        return tuple(sorted(self._versions))

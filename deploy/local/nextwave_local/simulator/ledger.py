"""What the providers were asked to do: append-only, on disk, the outside witness of at most one dispatch per action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec

from nextwave_local.simulator.faults import Kind

CHUNK_BYTES = 1 << 16
KINDS: frozenset[str] = frozenset(get_args(Kind))


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One request, or one call that a dialler placed. `accepted`: the provider took the action on itself, with this request.

    `at` is when it was received, wall time; `business_at` the same in business time. What changes or takes back something accepted
    before (`answer` is `updated`, `retracted`) or carries it out (`called`) is not accepted once more. What comes again (`repeated`) is
    accepted once more if it asks for the contact, and takes nothing back if it is a retraction.
    """

    action_id: str
    provider: str
    kind: str
    accepted: bool
    at: str
    business_at: str
    to: str
    answer: str
    """What the caller was told: a status, or the fault that kept it from learning."""
    bytes_hash: str
    price: str = ""
    """What the provider charges for it, decimal; empty: nothing, or not this time."""


class Ledger:
    """The ledger file; entries of earlier runs stay."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._attempts: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self._recover()
        self._file = path.open("ab")

    def add(self, entry: Entry) -> None:
        """Writes an entry; it is in the file when this returns."""
        self._file.write(msgspec.json.encode(entry) + b"\n")
        self._file.flush()
        self._count(entry)

    def attempts(self, action_id: str) -> int:
        """How many requests there were for an action."""
        return self._attempts[action_id]

    def totals(self) -> dict[str, int]:
        """Entries accepted, by kind, and actions that were accepted while they were accepted already (`twice`)."""
        by_kind = {kind: count for kind, count in self._accepted.items() if kind in KINDS}
        return {**by_kind, "twice": self._accepted["twice"]}

    def content(self) -> Iterator[bytes]:
        """The whole ledger as JSON lines, in pieces; what is added meanwhile is left out."""
        left = self._path.stat().st_size
        with self._path.open("rb") as file:
            while left > 0 and (piece := file.read(min(CHUNK_BYTES, left))):
                left -= len(piece)
                yield piece

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _recover(self) -> None:
        """Counts what is there, and cuts off the half line that a kill can leave."""
        whole = 0
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                self._count(msgspec.json.decode(line, type=Entry))
        with self._path.open("ab") as file:
            file.truncate(whole)

    def _count(self, entry: Entry) -> None:
        self._attempts[entry.action_id] += 1
        action = f"action:{entry.action_id}"
        if entry.answer == "retracted":
            self._accepted[action] = max(0, self._accepted[action] - 1)
        if entry.accepted:
            self._accepted[entry.kind] += 1
            self._accepted[action] += 1
            self._accepted["twice"] += self._accepted[action] == 2

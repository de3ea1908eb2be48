"""What is wrong with what somebody wrote: where (JSON pointer), what, and what to do; always all faults at once, not only the first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

MOST_FAULTS = 50


class Fault(msgspec.Struct, frozen=True):
    """One fault. `pointer` is an RFC 6901 JSON pointer into the document, `fix` what to write instead."""

    pointer: str
    detail: str
    fix: str

    def under(self, pointer: str) -> Fault:
        """The same fault in a document that holds this one at `pointer`."""
        return Fault(pointer + self.pointer, self.detail, self.fix)


class FaultyError(ValueError):
    """The document has faults; nothing of it was taken."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)[:MOST_FAULTS]
        super().__init__("; ".join(f"{f.pointer or '/'}: {f.detail}" for f in self.faults))


def raise_any(faults: Sequence[Fault]) -> None:
    """Raises `FaultyError` when there are faults."""
    if faults:
        raise FaultyError(faults)


def step(name: str | int) -> str:
    """One step of a JSON pointer, escaped."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")

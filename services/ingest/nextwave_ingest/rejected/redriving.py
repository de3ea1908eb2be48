"""Sends what was rejected on its way again: what a door refused is judged anew by that door, a rejected touchpoint comes as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import decode

from nextwave_ingest.admission import Admitted, Refusal, RefusedError
from nextwave_ingest.records import JSON, Record, records_of
from nextwave_ingest.rejected.entries import DOOR, WHOLE, is_cut


class Judge(Protocol):
    """A door that can judge again."""

    def again(self, kept: Rejected) -> list[Admitted | Refusal]:
        """The verdicts of today, by the key and mapping of today, on an item of then; none where it is ignored."""


class CannotRedriveError(Exception):
    """It cannot be sent again from here; the message says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """What came of one rejected item: records to commit, how many of them are touchpoints, and what was refused again."""

    records: tuple[Record, ...]
    touchpoints: int
    refused: tuple[RefusedError, ...]


def redriven(kept: Rejected, doors: Mapping[str, Judge]) -> Redriven:
    """Judges again. The ids are those of the first time, so that whatever was taken in already is not taken in twice. PURE.

    Raises `CannotRedriveError`.
    """
    if kept.topic.startswith(DOOR):
        return _judged(kept, doors)
    if kept.topic == TOUCHPOINTS.name:
        return _readmitted(kept)
    raise CannotRedriveError(
        f"a message of {kept.topic} has its place among those of its processor, which nobody else can give it;"
        " mend the processor, and let what follows bring the customer up to date"
    )


def _judged(kept: Rejected, doors: Mapping[str, Judge]) -> Redriven:
    door = doors.get(kept.topic.removeprefix(DOOR))
    if door is None:
        raise CannotRedriveError(f"there is no door {kept.topic.removeprefix(DOOR)} any more")
    if is_cut(kept):
        fix = "mend the mapping, and let the source send the same again" if kept.said.get(WHOLE) else "let the source send it smaller"
        raise CannotRedriveError(f"{_beginning(kept)}; {fix}")
    verdicts = door.again(kept)
    admitted = [verdict for verdict in verdicts if isinstance(verdict, Admitted)]
    refused = tuple(verdict.error for verdict in verdicts if isinstance(verdict, Refusal))
    return Redriven(tuple(records_of(admitted, _never)), len(admitted), refused)


def _beginning(kept: Rejected) -> str:
    kept_bytes = f"{len(kept.payload):,}"
    return "only the beginning was kept, " + (f"{kept_bytes} of {kept.size_bytes:,} bytes" if kept.size_bytes else f"{kept_bytes} bytes")


def _never(refusal: Refusal) -> Rejected:
    raise AssertionError(f"what is refused again is on the topic already: {refusal}")


def _readmitted(kept: Rejected) -> Redriven:
    if is_cut(kept):
        raise CannotRedriveError(f"{_beginning(kept)}; let its source send it smaller")
    try:
        key = TOUCHPOINTS.key(decode(kept.payload, Touchpoint))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, IndexError) as wrong:
        return Redriven((), 0, (RefusedError("", f"it is still no touchpoint: {wrong}", "undecodable"),))
    return Redriven((Record(TOUCHPOINTS.name, key.encode(), kept.payload, [JSON]),), 1, ())

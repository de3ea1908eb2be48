"""What each record of a batch is: new, a repetition, out of its turn, a control message, or nothing we can read. Pure."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import msgspec
from nextwave_contracts.customers import Watermark
from nextwave_contracts.places import ORIGIN_HEADER, PREVIOUS_HEADER, TRACE_HEADER, Origin, Place, parse_origin, parse_previous
from nextwave_contracts.reasons import RejectCode
from nextwave_contracts.topics import Topic
from nextwave_contracts.wire import decode

from nextwave_runtime.application import Taken
from nextwave_runtime.watermarks import Said, read

SIZE_MAX = 1_048_576
"""Bytes of one message; a larger one is rejected."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as Kafka gave it. `at` is the broker's append instant as business time."""

    offset: int
    at: datetime
    wall: float
    """The broker's append instant (Unix seconds)."""
    day: date
    """Its day (UTC), never scaled: `seen` is kept by it."""
    key: bytes
    value: bytes
    headers: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that goes to the rejected topic."""

    record: RawRecord
    reason: RejectCode
    detail: str


@dataclass(slots=True)
class Sifted:
    """A batch after sifting: what to take in, in order, and everything else. `marks` are those after the batch."""

    taken: list[Taken] = field(default_factory=list)
    raw: dict[int, RawRecord] = field(default_factory=dict)
    traces: dict[int, str] = field(default_factory=dict)
    door_ids: dict[int, str] = field(default_factory=dict)
    watermarks: list[Said] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    marks: dict[Origin, Place] = field(default_factory=dict)
    duplicates: int = 0
    gaps: int = 0


Verdict = Literal["new", "duplicate", "gap"]


def judge(place: Place, previous: Place | None, mark: Place | None, *, joined_late: bool) -> Verdict:
    """Exactly once by origin: new when `previous <= mark < place`, a repetition when not above the mark, else a gap."""
    if mark is None:
        return "new" if previous is None or joined_late else "gap"
    if place <= mark:
        return "duplicate"
    return "new" if previous is None or previous <= mark else "gap"


def sift(topic: Topic, partition: int, records: Sequence[RawRecord], marks: Mapping[Origin, Place], *, joined_late: bool) -> Sifted:
    """Sorts a batch. `marks` is not changed; the marks after the batch are in the result."""
    sifted = Sifted(marks=dict(marks))
    for record in records:
        verdict = _turn(topic, record, sifted.marks, joined_late=joined_late)
        if verdict == "duplicate":
            sifted.duplicates += 1
        elif verdict == "gap":
            sifted.gaps += 1
        elif isinstance(verdict, Refusal):
            sifted.refusals.append(verdict)
        else:
            _take(topic, partition, record, sifted)
    return sifted


def _turn(topic: Topic, record: RawRecord, marks: MutableMapping[Origin, Place], *, joined_late: bool) -> Verdict | Refusal:
    header = record.headers.get(ORIGIN_HEADER)
    if header is None:
        return "new"
    if topic.door_id is not None:
        return Refusal(record, "invalid", f"a message of {topic.name} is born at a door: it has an id, and no {ORIGIN_HEADER} header")
    try:
        origin, place = parse_origin(header)
        previous = parse_previous(record.headers.get(PREVIOUS_HEADER, b""))
    except ValueError:
        return Refusal(record, "invalid", f"unreadable {ORIGIN_HEADER} header")
    verdict = judge(place, previous, marks.get(origin), joined_late=joined_late)
    if verdict == "new":
        marks[origin] = place
    return verdict


def _take(topic: Topic, partition: int, record: RawRecord, sifted: Sifted) -> None:
    message = _read(topic, record)
    if isinstance(message, Refusal):
        sifted.refusals.append(message)
    elif isinstance(message, Said):
        sifted.watermarks.append(message)
    elif topic.door_id is None and ORIGIN_HEADER not in record.headers:
        sifted.refusals.append(Refusal(record, "invalid", f"a message of {topic.name} needs the {ORIGIN_HEADER} header"))
    else:
        sifted.taken.append(Taken(topic, partition, record.offset, record.at, message, len(record.value)))
        sifted.raw[record.offset] = record
        if topic.door_id is not None:
            sifted.door_ids[record.offset] = topic.door_id(message)
        if trace := record.headers.get(TRACE_HEADER):
            sifted.traces[record.offset] = trace.decode("ascii", "replace")


def _read(topic: Topic, record: RawRecord) -> Any | Refusal:
    if len(record.value) > SIZE_MAX:
        return Refusal(record, "too_large", f"{len(record.value)} bytes; the limit is {SIZE_MAX}")
    try:
        message = decode(record.value, topic.message)
        if isinstance(message, Watermark):
            return read(message, record.at)
        if not topic.key(message):
            return Refusal(record, "invalid", "the message has no key")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, IndexError) as error:
        return Refusal(record, "undecodable", str(error)[:500])
    return message

"""What a plain consumer reads from the topics, message by message, by the published rules of AsyncAPI alone; repetitions are told apart.

A reader takes a message with an origin in when `previous <= mark < place` (docs/decisions/0002). The observer does the same, and notes what
a correct writer never does: two contents for one place, or a message that stays out of its turn.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

Place = tuple[int, int]
STRANGER = b"stranger-"
"""How the keys of records begin that were written to do harm: nobody can read them, and nobody need."""
TOPICS = ("touchpoints", "holds", "customers", "actions", "decisions", "outcomes", "rejected")


class Raw(NamedTuple):
    """A record as Kafka gave it. `at` is the broker's append instant, wall seconds."""

    topic: str
    partition: int
    offset: int
    at: float
    key: bytes
    value: bytes
    headers: dict[str, bytes]


class Arrival(NamedTuple):
    """A touchpoint on its topic, the first time it stands there. `order` is its place in the partition."""

    id: str
    type: str
    key: str
    partition: int
    order: int
    at: float


class Update(NamedTuple):
    """What scoring said of a customer: because of a touchpoint or outcome (`cause`, empty for a review)."""

    customer: str
    cause: str
    at: str
    order: tuple[int, int]
    version: int
    orders: int
    revenue: int
    seen: float
    """When it was appended, wall seconds."""


@dataclass(slots=True)
class Book:
    """Everything read so far."""

    arrivals: dict[str, Arrival] = field(default_factory=dict)
    accepted_order: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By Kafka key, touchpoint ids in accepted order."""
    updates: list[Update] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    """Touchpoints and outcomes that are in a profile."""
    into: dict[str, str] = field(default_factory=dict)
    """Absorbed customers, and into whom."""
    decisions: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """By message type (`decision`, `run_started`, `wave_closed`, `run_ended`, `goal_reached`)."""
    contacts: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[str, int, int, str]] = field(default_factory=list)
    """(topic, partition, offset, reason)."""
    wrong: list[str] = field(default_factory=list)
    """What no correct writer does."""
    read: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    repeated: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    strange: set[tuple[str, int, int]] = field(default_factory=set)
    """Places of what strangers wrote."""
    records: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """By customer, everything on `decisions` in the topic's order."""
    _contents: dict[tuple[str, int, bytes], bytes] = field(default_factory=dict)
    _marks: dict[tuple[str, int, bytes], Place] = field(default_factory=dict)
    _waiting: dict[tuple[str, int, bytes, Place], str] = field(default_factory=dict)

    def take(self, raw: Raw) -> None:
        """Reads one record."""
        self.read[raw.topic] += 1
        if raw.key.startswith(STRANGER) and raw.topic != "rejected":
            self.strange.add((raw.topic, raw.partition, raw.offset))
            return
        if not self._is_new(raw):
            return
        try:
            _READ[raw.topic](self, raw, json.loads(raw.value))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            self.wrong.append(f"what is on {raw.topic}/{raw.partition}/{raw.offset} cannot be read: {error!r}")

    @property
    def missing(self) -> list[str]:
        """Messages that came out of their turn and whose turn never came: something before them is lost."""
        return list(self._waiting.values())

    def root(self, customer: str) -> str:
        """The customer that an id means in the end."""
        while customer in self.into:
            customer = self.into[customer]
        return customer

    def _is_new(self, raw: Raw) -> bool:
        header = raw.headers.get("nextwave-origin")
        if header is None:
            return True
        origin, offset, number = header.rsplit(b"/", 2)
        place = (int(offset), int(number))
        before = raw.headers.get("nextwave-previous", b"")
        previous = _place(before) if before else None
        digest = hashlib.blake2b(raw.value, digest_size=8).digest()
        known = self._contents.setdefault((raw.topic, raw.partition, header), digest)
        if known != digest:
            self.wrong.append(f"{raw.topic}/{raw.partition}: {header.decode()} was published with two contents")
        way = (raw.topic, raw.partition, origin)
        mark = self._marks.get(way)
        if mark is not None and place <= mark:
            self.repeated[raw.topic] += 1
            return False
        if previous is not None and (mark is None or previous > mark):
            self._waiting[(*way, place)] = f"{raw.topic}/{raw.partition}: {header.decode()} follows {before.decode()}, which did not come"
            return False
        self._marks[way] = place
        self._waiting.pop((*way, place), None)
        return True


def _place(raw: bytes) -> Place:
    offset, _, number = raw.partition(b"/")
    return int(offset), int(number)


def _touchpoint(book: Book, raw: Raw, m: dict[str, Any]) -> None:
    if m["id"] not in book.arrivals:
        book.arrivals[m["id"]] = Arrival(m["id"], m["type"], raw.key.decode(), raw.partition, raw.offset, raw.at)
        book.accepted_order[raw.key.decode()].append(m["id"])


def _customer(book: Book, raw: Raw, m: dict[str, Any]) -> None:
    match m["type"]:
        case "updated":
            cause = (m.get("touchpoint") or m.get("outcome") or {}).get("id", "")
            book.taken.add(cause)
            book.updates.append(_update(raw, m, cause))
        case "merged":
            book.updates.append(_update(raw, m, ""))
        case "absorbed":
            book.into[m["customer_id"]] = m["into"]


def _update(raw: Raw, m: dict[str, Any], cause: str) -> Update:
    profile = m["profile"]
    orders = profile.get("orders", {})
    sums = (orders.get("count", 0), orders.get("revenue", 0))
    return Update(m["customer_id"], cause, m["at"], (raw.partition, raw.offset), profile["version"], *sums, raw.at)


def _decision(book: Book, _raw: Raw, m: dict[str, Any]) -> None:
    book.decisions[m["type"]].append(m)
    book.records[m["customer_id"]].append(m)


def _action(book: Book, _raw: Raw, m: dict[str, Any]) -> None:
    if m["type"] == "contact":
        book.contacts.append(m)


def _outcome(book: Book, _raw: Raw, m: dict[str, Any]) -> None:
    book.outcomes.append(m)


def _rejected(book: Book, _raw: Raw, m: dict[str, Any]) -> None:
    book.rejected.append(
        (m["topic"].split(".")[1] if m["topic"].startswith("nextwave.") else m["topic"], m["partition"], m["offset"], m["reason"])
    )


def _hold(_book: Book, _raw: Raw, _m: dict[str, Any]) -> None:
    """Holds are only checked for what providers received after them."""


_READ = {
    "touchpoints": _touchpoint,
    "holds": _hold,
    "customers": _customer,
    "actions": _action,
    "decisions": _decision,
    "outcomes": _outcome,
    "rejected": _rejected,
}


def instant(text: str) -> datetime:
    """An instant as messages write it."""
    return datetime.fromisoformat(text)

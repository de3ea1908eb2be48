"""Everything the observer knows of a run, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from faults.observer.book import Book


@dataclass(slots=True, kw_only=True)
class Posted:
    """One touchpoint that the driver posted. Instants are wall seconds; `accepted_at` is when its first 2xx came, 0 for never."""

    id: str
    customer: str
    kind: str
    key: str
    channels: tuple[str, ...]
    amount: int
    first_at: float
    accepted_at: float = 0.0
    attempts: int = 0

    @classmethod
    def of(cls, post: Any, at: float) -> Posted:
        """From the post as it is sent for the first time."""
        return cls(
            id=post.id, customer=post.customer, kind=post.kind, key=post.key, channels=post.channels, amount=post.amount, first_at=at
        )


class Call(NamedTuple):
    """One request that a provider received; `at` is wall seconds, `business` business time there."""

    action_id: str
    channel: str
    to: str
    accepted: bool
    at: float
    business: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom the driver played: where reached, and in which zone."""

    name: str
    group: str
    email: str
    phone: str
    zone: str

    def address(self, channel: str) -> str:
        """Where a channel reaches the person."""
        return self.email if channel == "email" else self.phone


@dataclass(frozen=True, slots=True)
class Clock:
    """Business time: `origin + (wall - epoch) * speed`."""

    epoch: float
    origin: datetime
    speed: float

    def at(self, wall: float) -> datetime:
        """The business instant of a wall instant."""
        return self.origin + timedelta(seconds=(wall - self.epoch) * self.speed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the observer was told of the campaigns: their keys, the window of every wave, the cap of the burst."""

    ask: str
    burst: str
    window: timedelta
    cap: int


class Ended(NamedTuple):
    """A process that ended without our doing, as the supervisor noted it."""

    name: str
    pid: int


@dataclass(slots=True, kw_only=True)
class Evidence:
    """One run."""

    clock: Clock
    rules: Rules
    posted: Mapping[str, Posted]
    people: Mapping[str, Person]
    book: Book
    calls: Sequence[Call] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)
    unanswered: Sequence[tuple[str, float]] = ()
    """Good requests without any answer (replica, seconds waited) to a replica that was neither killed nor frozen then."""
    unaccepted: Sequence[str] = ()
    """Touchpoints that were posted in vain for half a minute and more, also when all was healed."""
    whole: frozenset[str] = frozenset()
    """Persons whose lives ended as they should; of others some posts are missing."""
    unready: Sequence[str] = ()
    """Replicas that did not say that they are ready, long after everything was healed."""
    checkups: Sequence[str] = ()
    """Questions asked after the healing: somebody must be contacted, or nothing works."""
    rolled: Sequence[str] = ()
    """Replicas that were ready on the previous build."""
    ended: Sequence[Ended] = ()
    replays: Mapping[str, str] = field(default_factory=dict)
    """By decision id, what a replay over the API said differently; empty text for the same answer."""
    timelines: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By customer id, the ids of touchpoints in the history that the API tells."""
    memory: Mapping[str, float] = field(default_factory=dict)
    """The most that each replica held, megabytes."""
    did: frozenset[str] = frozenset()
    """The kinds of fault that happened."""

    def person_at(self, address: str) -> Person | None:
        """Whose address it is."""
        return self.people.get(address)


def utc(text: str) -> datetime:
    """An RFC 3339 instant."""
    return datetime.fromisoformat(text).astimezone(UTC)

"""The stored profile: every field is a set, a sum, a first or a newest, so that the order of events leaves no trace in it."""

from __future__ import annotations

from typing import Any

import msgspec

from nextwave_scoring.profile.days import Days
from nextwave_scoring.profile.decay import Counts

NAMES_MAX = 64
TRAITS_MAX = 24
CONTACTS_MAX = 12
ABSORBED_MAX = 16
MATTERS_MAX = 24


class ContactPoint(msgspec.Struct, array_like=True):
    """Where a channel reaches the customer; instants in microseconds. Bounced while nothing newer says otherwise."""

    address: str = ""
    set_at: int = 0
    bounced_at: int = 0
    reached_at: int = 0


class Matter(msgspec.Struct, array_like=True):
    """A complaint or a service request: open while it was not closed at or after its last opening."""

    opened_at: int = 0
    closed_at: int = 0


class Words(msgspec.Struct, array_like=True):
    """What was said by one name of the customer that stops contact or lets it go on; fields as in `Profile`."""

    consents: dict[str, list[int]] = {}
    matters: dict[str, Matter] = {}
    soothed_at: int = 0
    soured_at: int = 0


class Join(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Two names were given for one customer; received at (microseconds)."""

    at: int
    one: str
    other: str


class PastContact(msgspec.Struct, array_like=True):
    """A contact we had with the customer: `failed` when nothing is said to have been sent, `made` when it is proved, which outweighs it."""

    campaign: str
    channel: str
    at: int
    failed: bool = False
    made: bool = False


class Profile(msgspec.Struct, array_like=True):
    """All that is known. Mutable on purpose: a fold changes it in place, in the batch's unit of work, and nowhere else."""

    names: list[str] = []
    first_at: int = 0
    last_at: int = 0
    active_at: int = 0
    """The last meaningful touchpoint: silence is counted from here."""
    touchpoints: int = 0
    sessions: int = 0
    landmark: int = 0
    counts: Counts = {}
    visits: Days = msgspec.field(default_factory=Days)
    """Days with a meaningful touchpoint: the customer's rhythm."""
    purchases: Days = msgspec.field(default_factory=Days)
    orders: dict[str, list[int]] = {}
    """By currency: orders, revenue, money given back (minor units)."""
    first_order_at: int = 0
    last_order_at: int = 0
    refusals: int = 0
    points: dict[str, ContactPoint] = {}
    consents: dict[str, list[int]] = {}
    """By `channel|purpose`: newest grant, newest withdrawal."""
    matters: dict[str, Matter] = {}
    soothed_at: int = 0
    """The newest sign that all is well: a complaint closed to satisfaction, or a good rating."""
    soured_at: int = 0
    """The newest complaint closed without satisfaction."""
    home: dict[str, tuple[int, Any]] = {}
    """Newest facts about time zone, country, region, language and quiet hours."""
    traits: dict[str, tuple[int, Any]] = {}
    contacts: dict[str, PastContact] = {}
    """Recent contacts by action id."""
    refused: dict[str, int] = {}
    """By channel (empty: every one), the last refusal."""
    complained_at: int = 0
    """The last complaint, open or closed."""
    absorbed: dict[str, int] = {}
    """Ids of the customers that became part of this one, and when: links in what they were sent still name them."""
    words: dict[str, Words] = {}
    """By name. `consents`, `matters`, `soothed_at` and `soured_at` are told from these: they are what stands."""
    joins: list[Join] = []
    """Since when names are known to be one's, oldest first."""


def newer(old: tuple[int, Any] | None, fact: tuple[int, Any]) -> tuple[int, Any]:
    """The newer of two facts `(at, value)`; at the same instant one is preferred whatever the order."""
    if old is None:
        return fact
    return max(old, fact, key=lambda f: (f[0], repr(f[1])))


def first_of(a: int, b: int) -> int:
    """The earlier of two instants, 0 being none."""
    return min(a, b) if a and b else a or b

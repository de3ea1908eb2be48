"""The stored profile: every field is a set, a sum, a first or a newest, so that the order of events leaves no trace in it."""

from __future__ import annotations

from typing import Any

import msgspec

from nextwave_scoring.profile.days import Days
from nextwave_scoring.profile.decay import Counts
from nextwave_scoring.profile.hours import Hours

NAMES_MAX = 64
TRAITS_MAX = 24
REPORTS_MAX = 24
"""Reports on past contacts."""
ABSORBED_MAX = 16
MATTERS_MAX = 16
"""Openings and closings of each kind by one name."""
MATTERS_MIN = 2
"""The same of names beyond the strongest `SPEAKERS_MAX`."""
SPEAKERS_MAX = 8
CURRENCIES_MAX = 16
TERMS_MAX = 24
"""Dates of contracts."""
PRODUCTS_MAX = 8
CATEGORIES_MAX = 24
SALES_MAX = 32
"""Orders that are known by their id, and as many of which something was taken back."""
RETURN_CURRENCIES_MAX = 4
"""In which one order is taken back."""
KINDS_MAX = 16
"""Types of touchpoint without built-in meaning."""
HINTS_MAX = 32
APART_MAX = 64
SHARERS_MAX = 32
ADDRESSES_MAX = 8
"""Addresses whose first naming is known."""


class ContactPoint(msgspec.Struct, array_like=True):
    """Where a channel reaches the customer; instants in microseconds. Bounced while nothing newer says otherwise."""

    address: str = ""
    set_at: int = 0
    bounced_at: int = 0
    reached_at: int = 0
    verified_at: int = 0
    """The newest proof that whoever reads what is sent there is the customer."""


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
    """A contact we had with the customer: the newest report of each sort, microseconds, 0 for none."""

    campaign: str
    channel: str
    at: int = 0
    """Of reports that neither say that nothing was sent nor prove contact."""
    failed_at: int | bool = 0
    """Nothing was sent, it says. The build before wrote a mark instead of an instant here and in `made_at`."""
    made_at: int | bool = 0
    """Contact is proved, which outweighs that."""

    @property
    def first_at(self) -> int:
        """The earliest of the reports."""
        return min(at for at in (self.at, self.failed_at, self.made_at) if at)


class Contract(msgspec.Struct, array_like=True):
    """What is known of one contract: for each date the one that was told last; microseconds, 0 for none."""

    started_at: int = 0
    ends_at: int = 0
    renewed_at: int = 0
    cancelled_at: int = 0
    starts_told_at: int = 0
    ends_told_at: int = 0


class Sale(msgspec.Struct, frozen=True, order=True, array_like=True):
    """An order that is known by its id, as it counts: of the tellings that name money the first by this order of fields.

    Microseconds and minor units.
    """

    at: int
    currency: str
    amount: int
    worth: tuple[int, ...] = ()
    """In the house currency, revenue and, where it is stated, margin; empty where no rate is known."""


class Returned(msgspec.Struct, frozen=True, array_like=True):
    """What was said to be taken back of an order that has an id, all of it; in the sums is no more of it than the order brought."""

    at: int
    """The newest of it, microseconds."""
    sums: dict[str, list[int]]
    """By currency: minor units, the same in the house currency, and how often no rate was known."""


class Product(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A product that the customer registered; instants in microseconds, 0 for unknown."""

    registered_at: int
    name: str
    serial: str = ""
    purchased_at: int = 0


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
    """The newest day: `counts`, `kinds` and `hours` are kept as of it."""
    floats: dict[str, list[float]] = {}
    """Counts of the build that kept them as floats; moved to `counts` when read."""
    visits: Days = msgspec.field(default_factory=Days)
    """Days with a meaningful touchpoint: the customer's rhythm."""
    purchases: Days = msgspec.field(default_factory=Days)
    """Days with an order."""
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
    counts: Counts = {}
    """By subject, by signal, and by what became of our contacts, for instance `opened.email`."""
    kinds: Counts = {}
    """By type of touchpoint, as `subjects` writes it."""
    hours: dict[str, Hours] = {}
    """By channel, the hours of the week at which it reached the customer."""
    converted: list[int] = []
    """In the house currency: orders, revenue, given back, stated margin, revenue without a stated margin; empty before the first."""
    unconverted: int = 0
    """Sums of money that no rate was known for: they stand in `orders` only."""
    categories: dict[str, list[int]] = {}
    """Of products bought: items, newest."""
    referrals: int = 0
    acquisition_cost: int = 0
    contact_costs: int = 0
    """Both in the house currency's minor units."""
    named: dict[str, int] = {}
    """By hash of an address, when it was first named: what was proved before then was proved of another."""
    contracts: dict[str, Contract] = {}
    """By reference."""
    products: dict[str, Product] = {}
    """Registered, by serial number, else by name."""
    cases: dict[str, list[int]] = {}
    """By kind of matter: opened, closed; and of those with a reference: closed, and the seconds since 1970 of openings and of closings."""
    hints: dict[str, list[int]] = {}
    """Signs of why the customer may leave, by cause and kind: how many, newest."""
    shared: dict[str, int] = {}
    """Own names that other customers have as well, and since when that is known: named alone they mean none of them."""
    apart: dict[str, int] = {}
    """Names that an operator gave to another customer, and when: who has one of them is never merged with this one again."""
    sharers: dict[str, int] = {}
    """This is nobody but a shared name: the customers who have it, and since when that is known."""
    sales: dict[str, Sale] = {}
    """By short hash of its id, the newest orders: each is in all sums once."""
    lasting_days: Days = msgspec.field(default_factory=Days)
    """Of `purchases` what does not hang on `sales`; like `lasting_at` of `last_order_at` empty while there are none of these."""
    lasting_at: int = 0
    returned: dict[str, Returned] = {}
    """By the same hash, known or not yet known as a sale: the orders that were taken back last."""


def newer(old: tuple[int, Any] | None, fact: tuple[int, Any]) -> tuple[int, Any]:
    """The newer of two facts `(at, value)`; at the same instant one is preferred whatever the order."""
    if old is None:
        return fact
    return max(old, fact, key=lambda f: (f[0], repr(f[1])))


def first_of(a: int, b: int) -> int:
    """The earlier of two instants, 0 being none."""
    return min(a, b) if a and b else a or b

"""`nextwave.customers.v1`: the event that came, and the customer's profile as it is now; and watermarks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import Message

Band = Literal["low", "elevated", "high", "lost"]
Stage = Literal["exploration", "formation", "stability", "decline"]
Cell = Literal["I", "II", "III", "IV"]
Pattern = Literal["early_abort", "midway_death", "early_exit", "long_retention"]
DeclineSign = Literal["leaving", "falling", "dissatisfied", "ending"]
Cause = Literal["dissatisfied", "poached", "attracted", "forced", "dropped_by_us", "unknown"]
HoldState = Literal["complaint", "legal", "wrong_number", "manual"]


class RiskReason(Message, frozen=True, kw_only=True):
    """One contribution to the churn risk. All contributions of a risk add up to it (within 1e-9)."""

    feature: str
    value: float
    contribution: float


class Churn(Message, frozen=True, kw_only=True):
    """Probability in 0..1 that the customer will not come back within `horizon_days`."""

    risk: float
    band: Band
    horizon_days: int
    model: str
    reasons: tuple[RiskReason, ...] = ()


class Value(Message, frozen=True, kw_only=True):
    """Current and potential value over the horizon, minor units; the cell is I..IV (product: low/low, low/high, high/low, high/high)."""

    cell: Cell = "I"
    current: int = 0
    potential: int = 0
    currency: str = "EUR"
    margin: int = 0
    """`current` is `margin` - `service_cost` - `contact_cost`; `potential` is `up_buying` + `cross_buying` + `referrals`."""
    service_cost: int = 0
    contact_cost: int = 0
    up_buying: int = 0
    cross_buying: int = 0
    referrals: int = 0
    share_of_wallet: float | None = None


class Course(Message, frozen=True, kw_only=True):
    """`reached` is the stage without the signs of decline; `pattern` is how the relationship ended, None while it goes on."""

    reached: Stage = "exploration"
    signs: tuple[DeclineSign, ...] = ()
    tenure_days: int = 0
    pattern: Pattern | None = None


class Leaving(Message, frozen=True, kw_only=True):
    """The likeliest cause if the customer leaves, and its share (0..1) of all evidence."""

    cause: Cause = "unknown"
    share: float = 0.0


class Relation(Message, frozen=True, kw_only=True):
    """The relationship score 0..1 and its weakest indicator; None where nothing is known."""

    score: float | None = None
    weakest: str | None = None


class Unit(Message, frozen=True, kw_only=True):
    """Unit economics so far, minor units of the value's currency; `net` is what is left."""

    margin: int = 0
    acquisition: int = 0
    direct: int = 0
    indirect: int = 0
    net: int = 0


class Cases(Message, frozen=True, kw_only=True):
    """Matters of one kind: open now, solved so far, mean time to solve."""

    open: int = 0
    solved: int = 0
    mean_seconds: int = 0


class Registered(Message, frozen=True, kw_only=True):
    """A product that the customer registered; `purchased_on` gives it birthdays."""

    name: str
    serial: str = ""
    purchased_on: date | None = None


class BestHour(Message, frozen=True, kw_only=True):
    """The hour of the week at which a channel reached the customer best so far: weekday (0: Monday) and hour on their clock."""

    channel: str
    weekday: int
    hour: int


class Orders(Message, frozen=True, kw_only=True):
    """Sums over the whole history, money in minor units of `currency`."""

    count: int = 0
    revenue: int = 0
    currency: str = "EUR"
    first_at: datetime | None = None
    last_at: datetime | None = None
    interval_days: float | None = None


class ContactPoint(Message, frozen=True, kw_only=True):
    """Where the customer can be reached on a channel (`email`, `sms`, `call`, ...)."""

    channel: str
    address: str
    bounced: bool = False
    verified: bool = False
    """The customer has shown that the address is theirs."""


class Consent(Message, frozen=True, kw_only=True):
    """The newest fact for (channel, purpose); withdrawn beats granted at the same instant. `channel` or `purpose` empty means all."""

    channel: str
    purpose: str
    granted: bool
    at: datetime


class HeldBy(Message, frozen=True, kw_only=True):
    """A hold in force. `reference` names its matter, for instance the ticket."""

    kind: HoldState
    since: datetime
    until: datetime | None = None
    reference: str = ""


class UnderReview(Message, frozen=True, kw_only=True):
    """Words that may be a refusal wait for their review. `channel` empty: all. No kind of `HeldBy`, whose readers know no others."""

    reference: str
    channel: str
    since: datetime


class Snapshot(Message, frozen=True, kw_only=True):
    """The profile as rules and the gate see it (at most about 1.5 KB)."""

    customer_id: str
    version: int
    identifiers: tuple[str, ...] = ()
    absorbed: tuple[str, ...] = ()
    """Ids of customers that became part of this one (the newest 16): links in what they were sent still name them."""
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    churn: Churn
    stage: Stage = "exploration"
    value: Value = Value()
    course: Course = Course()
    leaving: Leaving = Leaving()
    relation: Relation = Relation()
    unit: Unit = Unit()
    orders: Orders = Orders()
    activity: dict[str, float] = {}
    """Exponentially decayed (30 days) counts per subject, for instance `web`, `order`, `phone`, `message`, `service`."""
    satisfaction: float | None = None
    unsatisfied: bool = False
    """A complaint was closed without satisfaction, or a service request is still open: no marketing."""
    open_complaints: int = 0
    complaints: Cases = Cases()
    services: Cases = Cases()
    refusals: int = 0
    refused: dict[str, datetime] = {}
    """By channel (empty: every one), when the customer last refused."""
    complained_at: datetime | None = None
    """When the customer last complained, whether or not it was resolved since."""
    referrals: int = 0
    contract_ends_at: datetime | None = None
    """The end of the contract that ends next, as far as it is known."""
    products: tuple[Registered, ...] = ()
    best_hours: tuple[BestHour, ...] = ()
    shared: tuple[str, ...] = ()
    """Identifiers that other customers have, too: what comes by these alone is credited to nobody of them."""
    contact_points: tuple[ContactPoint, ...] = ()
    consents: tuple[Consent, ...] = ()
    holds: tuple[HeldBy, ...] = ()
    reviews: tuple[UnderReview, ...] = ()
    """Each stops its channel for every purpose but transactional and service."""
    zones: tuple[str, ...] = ()
    """Candidate IANA time zones; contact hours must hold in every one of them."""
    country: str = ""
    region: str = ""
    language: str = ""
    traits: dict[str, Any] = {}


class Change(Message, frozen=True, kw_only=True):
    """What this update changed: `field` is `churn.band`, `stage`, `value.cell` or `hold`."""

    field: str
    before: str
    after: str


class CustomerUpdated(Message, frozen=True, kw_only=True, tag="updated"):
    """A touchpoint or an outcome was taken in, or (neither set) the silence was reviewed. `at` is the business instant of it."""

    customer_id: str
    at: datetime
    touchpoint: Touchpoint | None = None
    outcome: Outcome | None = None
    profile: Snapshot
    changes: tuple[Change, ...] = ()


class PastContact(Message, frozen=True, kw_only=True):
    """A contact the customer had, for caps that outlive a merge. `unsent`: it failed, as far as is known, and counts for none yet."""

    action_id: str
    campaign: str
    channel: str
    at: datetime
    unsent: bool = False


class CustomersMerged(Message, frozen=True, kw_only=True, tag="merged"):
    """`absorbed` is now part of `customer_id` (the key); `contacts` are the absorbed customer's recent contacts."""

    customer_id: str
    absorbed: str
    at: datetime
    profile: Snapshot
    contacts: tuple[PastContact, ...] = ()


class CustomerAbsorbed(Message, frozen=True, kw_only=True, tag="absorbed"):
    """The customer (the key) is now part of `into`; what was planned for it ends."""

    customer_id: str
    into: str
    at: datetime


class Watermark(Message, frozen=True, kw_only=True, tag="watermark"):
    """Everything received up to `until` at origin `processor/partition` has been taken in.

    It counts only once the reader's mark of that origin has reached `last_place` (`offset/index`, None when nothing was sent this way).
    """

    processor: str
    partition: int
    until: datetime
    last_place: str | None = None


CustomerMessage = CustomerUpdated | CustomersMerged | CustomerAbsorbed | Watermark

"""`nextwave.customers.v1`: the event that came, and the customer's profile as it is now; and watermarks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import Message

Band = Literal["low", "elevated", "high", "lost"]
Stage = Literal["exploration", "formation", "stability", "decline"]
Cell = Literal["I", "II", "III", "IV"]
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
    orders: Orders = Orders()
    activity: dict[str, float] = {}
    """Exponentially decayed (30 days) counts per subject, for instance `web`, `order`, `phone`, `message`, `service`."""
    satisfaction: float | None = None
    unsatisfied: bool = False
    """A complaint was closed without satisfaction, or a service request is still open: no marketing."""
    open_complaints: int = 0
    refusals: int = 0
    refused: dict[str, datetime] = {}
    """By channel (empty: every one), when the customer last refused."""
    complained_at: datetime | None = None
    """When the customer last complained, whether or not it was resolved since."""
    contact_points: tuple[ContactPoint, ...] = ()
    consents: tuple[Consent, ...] = ()
    holds: tuple[HeldBy, ...] = ()
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

"""A campaign as its owner writes it (JSON or YAML): goal, entry, waves. Immutable once published."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from nextwave_contracts.actions import Channel, Purpose
from nextwave_contracts.channels import CHANNELS

Rule = dict[str, Any]
"""The JSON form of a rule; `rules` type-checks and compiles it."""


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What people write: unknown fields are refused, so that a typing error is never silently ignored."""


class Step(Written, frozen=True, kw_only=True):
    """One channel of a mix. `template` names the content; `list` and `attempts` are a call's, `team` a visit's.

    Durations are written `90s 15m 4h 5d`.
    """

    channel: Channel
    template: str = ""
    list: str = ""
    script: str = ""
    team: str = ""
    attempts: int = 1
    spacing: str = "4h"


Pick = Literal["first_permitted", "best"]
"""Which of a mix's channels is used: the first that the gate permits, or the permitted one with the highest score."""


class Mix(Written, frozen=True, kw_only=True):
    """For one segment (`*` is everybody) the channels, in order."""

    segment: str
    channels: tuple[Step, ...]
    pick: Pick = "first_permitted"


class Enter(Written, frozen=True, kw_only=True):
    """Who enters a later wave: those whom wave `after` did not move, or (`on`) by how its contact ended, each with its own step."""

    after: str
    unless: Literal["responded"] | None = None
    on: dict[Literal["missed", "refused", "failed"], Step] = {}


class Wave(Written, frozen=True, kw_only=True):
    """One step: window, mixes per segment, and what counts as a response (`{"any": [{"event": ...}, {"outcome": "answered"}]}`)."""

    key: str
    window: str
    enter: Enter | None = None
    mixes: tuple[Mix, ...] = ()
    response: Rule = {}


class Goal(Written, frozen=True, kw_only=True):
    """The event that the campaign is for, within this time of a customer's entry, and what it is worth (minor units)."""

    event: str
    within: str
    where: Rule = {}
    value: int = 0
    currency: str = "EUR"


class DateOf(Written, frozen=True, kw_only=True):
    """A day of the profile: `birthday`, `product_birthday` (both every year), `contract_end` or `traits.<name>` (each year if `yearly`).

    `before` or `after` are whole days from it (`30d`, `2w`); `at` is local time in the customer's first candidate zone.
    """

    of: str
    before: str = ""
    after: str = ""
    at: str = "09:00"
    yearly: bool = False


class Schedule(Written, frozen=True, kw_only=True):
    """Once at the local time `at` (`2026-12-01T09:00`), or again `every` so often; a weekly one `on` these days, else on that of `at`.

    `zone` is `customer` (the first candidate zone of each) or an IANA name; `pace` the most entries a minute over all partitions (0: any).
    """

    at: str
    every: Literal["day", "week", "month"] | None = None
    on: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    zone: str = "customer"
    pace: int = 0


class Trigger(Written, frozen=True, kw_only=True):
    """What lets a customer in; exactly one is given.

    `entered` and `left` map a (`churn.band`, `stage`, `value.cell`, `segment`) to its values.
    """

    event: str = ""
    where: Rule = {}
    entered: dict[str, list[str]] = {}
    left: dict[str, list[str]] = {}
    date: DateOf | None = None
    schedule: Schedule | None = None

    @property
    def by_time(self) -> bool:
        """Whether time may let somebody in of whom nothing is heard: on a day, by a schedule, by growing out of a segment."""
        return self.date is not None or self.schedule is not None or "segment" in {*self.entered, *self.left}


class Audience(Written, frozen=True, kw_only=True):
    """Only members of this segment enter (`*`: everybody)."""

    segment: str = "*"


class Reentry(Written, frozen=True, kw_only=True):
    """After how long since the last entry a customer may enter again; never when absent."""

    after: str


class Entry(Written, frozen=True, kw_only=True):
    """When and who. `key` names a data field of the event (order id, ticket id): each of its values is a run of its own."""

    on: Trigger
    audience: Audience = Audience()
    reentry: Reentry | None = None
    key: str = ""


class Budget(Written, frozen=True, kw_only=True):
    """The most that the campaign may spend, minor units."""

    amount: int
    currency: str = "EUR"


class Campaign(Written, frozen=True, kw_only=True):
    """The whole definition. `holdout` is a share 0..1 of customers never contacted by it."""

    key: str
    owner: str
    purpose: Purpose
    goal: Goal
    entry: Entry
    waves: tuple[Wave, ...]
    holdout: float = 0.0
    budget: Budget | None = None
    priority: int = 100
    strategy: Literal["differential", "traditional", "realtime", "informational"] = "differential"
    needs: tuple[str, ...] = ()
    """Supporting systems that operations must have declared ready."""
    lever: float = 1.0


class Segment(Written, frozen=True, kw_only=True):
    """A named rule. Lower `priority` is asked first."""

    key: str
    name: str
    owner: str
    rule: Rule
    priority: int = 100


class Variant(Written, frozen=True, kw_only=True):
    """A template's content in one language; nothing of another language stands in for what it leaves out."""

    text: str
    subject: str = ""
    html: str = ""


class Template(Written, frozen=True, kw_only=True):
    """Content in Liquid; `html` and `subject` only where the channel shows them.

    `languages` holds the same in other languages by BCP 47 tag; who speaks none of them gets what stands here.
    """

    key: str
    text: str
    subject: str = ""
    html: str = ""
    languages: dict[str, Variant] = {}


class HouseAddress(Written, frozen=True, kw_only=True):
    """An address of the house itself."""

    channel: Channel
    address: str


class HouseAddresses(Written, frozen=True, kw_only=True):
    """Where templates may be sent to be looked at, by name."""

    addresses: dict[str, HouseAddress] = {}


class Cap(Written, frozen=True, kw_only=True):
    """At most `most` contacts per `per`; `channel` or `campaign` empty counts over all, `purpose` empty over all purposes."""

    most: int
    per: str
    channel: str = ""
    campaign: str = ""
    purpose: str = "marketing"


CHANNEL_COSTS: dict[str, int] = {name: terms.cost for name, terms in CHANNELS.items() if name != "webhook"}
"""Direct cost of one contact where the house has said nothing, minor units."""
RESPONSE_RATES: dict[str, float] = {
    "email": 0.05,
    "sms": 0.08,
    "call": 0.2,
    "visit": 0.4,
    "webpush": 0.03,
    "onsite": 0.1,
    "chat": 0.1,
    "letter": 0.03,
}
"""Share of contacts that are answered where the house has said nothing, 0..1."""


class ServiceLevel(Written, frozen=True, kw_only=True):
    """What customers of a value cell are entitled to when they come to us: how soon a person answers, and who serves them first."""

    answer_within: str
    first: Literal["person", "self_service"] = "person"
    line: str = ""
    """The queue or team that serves them, as the contact centre calls it."""


SERVICE_LEVELS: dict[str, ServiceLevel] = {
    "I": ServiceLevel(answer_within="120s", first="self_service"),
    "II": ServiceLevel(answer_within="60s", first="self_service"),
    "III": ServiceLevel(answer_within="30s"),
    "IV": ServiceLevel(answer_within="15s", line="personal"),
}
"""By value cell, where the house has said nothing."""


class Policy(Written, frozen=True, kw_only=True):
    """The house's rules over all campaigns; changes act at once."""

    caps: tuple[Cap, ...] = (Cap(most=1, per="24h"), Cap(most=3, per="7d"))
    global_holdout: float = 0.0
    after_refusal: str = "60d"
    after_complaint: str = "14d"
    after_contact: str = "24h"
    after_decline: str = "30d"
    """How long a campaign rests, on every channel, for a customer who declined its offer."""
    service_levels: dict[str, ServiceLevel] = {}
    """By value cell; a cell left out has the shipped one."""
    quiet_calls: tuple[tuple[str, str], ...] = (("18:00", "20:00"),)
    channel_costs: dict[str, int] = msgspec.field(default_factory=lambda: dict(CHANNEL_COSTS))
    """Direct cost of one contact, minor units."""
    response_rates: dict[str, float] = msgspec.field(default_factory=lambda: dict(RESPONSE_RATES))
    """Where learning begins."""
    response_strength: int = 50
    """As how many contacts a wider response rate counts beside those of a segment, channel and hour."""
    response_half_life: str = "90d"
    """After how long a contact counts half for response rates."""
    loading_share: float = 0.0
    """Indirect cost per unit of a contact's direct cost."""
    credit_within: str = "30d"
    """How long after a contact its campaign shares in what the customer brings."""
    context: dict[str, dict[str, float]] = {}
    """By `churn.band`, `stage` and `value.cell` and their values, how much such a customer counts; 1 where nothing is said."""
    score: dict[str, str] = {}
    """For a part of the arbiter's formula the name of its function, where it is not the shipped one."""
    opt_in_channels: tuple[str, ...] = tuple(name for name, terms in CHANNELS.items() if terms.needs_consent)
    """Channels that need a granted consent for marketing; on the others no withdrawal is enough."""
    sms_segments: int = 3
    """The most SMS segments of one text."""
    currency: str = "EUR"
    salt: str = "nextwave"
    """Fixes who is held out; changing it draws anew."""

    def __post_init__(self) -> None:
        """Makes what is written as it is shipped the default itself, which is not stored: the build before this refuses fields it lacks."""
        own = {cell: level for cell, level in self.service_levels.items() if level != SERVICE_LEVELS.get(cell)}
        msgspec.structs.force_setattr(self, "service_levels", own)
        for name, default in zip(self.__struct_fields__, self.__struct_defaults__, strict=True):
            if getattr(self, name) == default:
                msgspec.structs.force_setattr(self, name, default)

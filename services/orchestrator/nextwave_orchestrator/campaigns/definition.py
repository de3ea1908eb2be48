"""A campaign as its owner writes it (JSON or YAML): goal, entry, waves. Immutable once published."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from nextwave_contracts.actions import Channel, Purpose

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


class Mix(Written, frozen=True, kw_only=True):
    """For one segment (`*` is everybody) the channels in order; the first that the gate permits is used."""

    segment: str
    channels: tuple[Step, ...]
    pick: Literal["first_permitted"] = "first_permitted"


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


class Trigger(Written, frozen=True, kw_only=True):
    """What lets a customer in; exactly one is given.

    `entered` and `left` map a (`churn.band`, `stage`, `value.cell`, `segment`) to its values.
    """

    event: str = ""
    where: Rule = {}
    entered: dict[str, list[str]] = {}
    left: dict[str, list[str]] = {}


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


class Template(Written, frozen=True, kw_only=True):
    """Content in Liquid; `html` and `subject` only where the channel shows them."""

    key: str
    text: str
    subject: str = ""
    html: str = ""


class Cap(Written, frozen=True, kw_only=True):
    """At most `most` contacts per `per`; `channel` or `campaign` empty counts over all, `purpose` empty over all purposes."""

    most: int
    per: str
    channel: str = ""
    campaign: str = ""
    purpose: str = "marketing"


CHANNEL_COSTS: dict[str, int] = {
    "email": 0,
    "sms": 8,
    "call": 250,
    "visit": 4000,
    "webpush": 0,
    "onsite": 0,
    "chat": 100,
    "letter": 150,
}
"""Full cost of one contact where the house has said nothing, minor units."""
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


class Policy(Written, frozen=True, kw_only=True):
    """The house's rules over all campaigns; changes act at once."""

    caps: tuple[Cap, ...] = (Cap(most=1, per="24h"), Cap(most=3, per="7d"))
    global_holdout: float = 0.0
    after_refusal: str = "60d"
    after_complaint: str = "14d"
    quiet_calls: tuple[tuple[str, str], ...] = (("18:00", "20:00"),)
    channel_costs: dict[str, int] = msgspec.field(default_factory=lambda: dict(CHANNEL_COSTS))
    """Full cost of one contact, minor units."""
    response_rates: dict[str, float] = msgspec.field(default_factory=lambda: dict(RESPONSE_RATES))
    opt_in_channels: tuple[str, ...] = ("email", "sms", "call", "webpush")
    """Channels that need a granted consent for marketing; on the others no withdrawal is enough."""
    currency: str = "EUR"
    salt: str = "nextwave"
    """Fixes who is held out; changing it draws anew."""

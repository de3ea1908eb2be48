"""The answer to "what do I say to this customer now", as the agent's desktop gets it. Money in minor units, risks and rates 0..1."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from nextwave_contracts.customers import RiskReason


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What every part of the answer is: immutable, and written out whole."""


class Who(Told, frozen=True, kw_only=True):
    """Whom the agent talks to. Addresses and names are masked for roles that need none."""

    name: str
    identifiers: tuple[str, ...]
    language: str
    zones: tuple[str, ...]
    segments: tuple[str, ...]
    stage: str
    cell: str
    value: int
    potential: int
    currency: str
    orders: int
    last_order_at: datetime | None
    customer_since: datetime | None
    contract_ends_at: datetime | None
    satisfaction: float | None


class Evidence(Told, frozen=True, kw_only=True):
    """One happening that speaks for a reason."""

    type: str
    at: datetime
    data: dict[str, Any]


class Calling(Told, frozen=True, kw_only=True):
    """Why they probably come. `weight`: the reason's own, fading with the age of its newest evidence; the heaviest stands first."""

    reason: str
    text: str
    weight: float
    evidence: tuple[Evidence, ...]


class OpenMatter(Told, frozen=True, kw_only=True):
    """A complaint or service matter that is not solved. `reference` is empty where nobody gave one, `since` where it is not remembered."""

    kind: Literal["complaint", "service"]
    reference: str
    since: datetime | None


class Promise(Told, frozen=True, kw_only=True):
    """What the customer was told to expect and has not had, by whom it was said, and by when it is due."""

    text: str
    made_at: datetime
    due_at: datetime | None
    is_overdue: bool
    reference: str


class Risk(Told, frozen=True, kw_only=True):
    """Of not coming back, with the contributions that add up to it, the largest first; and the likeliest cause."""

    probability: float
    band: str
    horizon_days: int
    cause: str
    reasons: tuple[RiskReason, ...]


class Level(Told, frozen=True, kw_only=True):
    """What the customer is entitled to by value cell."""

    cell: str
    answer_within_seconds: int
    first: str
    line: str


class Selling(Told, frozen=True, kw_only=True):
    """Whether anything may be sold in this conversation; if not, the gate's code and what it compared."""

    allowed: bool
    code: str
    detail: str


class Offer(Told, frozen=True, kw_only=True):
    """One offer. `score` is the arbiter's, `numbers` all its parts; `why` says in words how it comes here."""

    offer_id: str
    campaign: str
    version: int
    run_id: str
    """The customer's open run; empty where they are on no way of this campaign."""
    wave: str
    segment: str
    say: str
    goal: str
    score: float
    numbers: dict[str, float]
    why: str


class Loser(Told, frozen=True, kw_only=True):
    """A campaign for whose audience the customer counts and that is not offered: the gate's code, `declined`, or `reentry`."""

    campaign: str
    code: str
    detail: str
    until: datetime | None
    score: float
    numbers: dict[str, float]


class Next(Told, frozen=True, kw_only=True):
    """The one thing to do first."""

    do: Literal["solve", "keep_promise", "offer", "help"]
    about: str
    say: str


class Recording(Told, frozen=True, kw_only=True):
    """CloudEvents to post, as they stand, to ingest's `POST /v1/touchpoints` when it happened; posting one twice counts once.

    `accepted` and `declined` are by campaign. The agent may add to `data`, for instance `reason_code` or `note`.
    """

    accepted: dict[str, dict[str, Any]]
    declined: dict[str, dict[str, Any]]
    handed_over: dict[str, Any]


class NextBestAction(Told, frozen=True, kw_only=True):
    """All of it. The same state, rules and instant give the same answer."""

    answer_id: str
    customer_id: str
    at: datetime
    channel: str
    agent: str
    next: Next
    who: Who
    calling: tuple[Calling, ...]
    matters: tuple[OpenMatter, ...]
    promises: tuple[Promise, ...]
    risk: Risk
    service_level: Level
    may_sell: Selling
    offers: tuple[Offer, ...]
    losers: tuple[Loser, ...]
    handover: str
    """For a warm transfer: what the next agent must know, in a few lines."""
    record: Recording

"""`nextwave.actions.v1`: what the orchestrator has decided a channel must do, or must no longer do."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from nextwave_contracts.wire import Message

Purpose = Literal["marketing", "service", "recovery", "care", "transactional"]
UNHELD_PURPOSES: frozenset[str] = frozenset({"recovery", "transactional", "service"})
"""Purposes that an open complaint does not stop."""
UNREVIEWED_PURPOSES: frozenset[str] = frozenset({"transactional", "service"})
"""Purposes that go on while somebody has yet to read whether the customer refused."""

Channel = Literal["email", "sms", "call", "webpush", "onsite", "visit", "chat", "letter", "webhook"]


TEST_CUSTOMER = "test-"
"""What the id of a test's customer begins with; those of customers are UUIDs."""


class Content(Message, frozen=True, kw_only=True):
    """What is said, rendered for this customer. `html` only where the channel can show it."""

    text: str
    subject: str = ""
    html: str = ""
    language: str = ""
    """Which of the template's languages it is, BCP 47; empty: its default, whose language nobody named."""


class Span(Message, frozen=True, kw_only=True):
    """A half-open interval of business time: `start <= t < end`."""

    start: datetime
    end: datetime


class Contact(Message, frozen=True, kw_only=True, tag="contact"):
    """One decided contact. A channel dispatches it at most once, inside one of the `permitted` spans, before `not_after`."""

    action_id: str
    decision_id: str
    customer_id: str
    campaign: str
    version: int
    wave: str
    run_id: str
    segment: str
    channel: Channel
    purpose: Purpose
    address: str
    content: Content
    subjects: tuple[str, ...]
    """Keyed hashes of the customer's identifiers, so that a hold by any of them matches."""
    address_subject: str = ""
    """The one of `subjects` that names the address; empty where the address names nobody (a page, a letter box)."""
    permitted: tuple[Span, ...]
    """Legal contact hours in every candidate time zone, from the decision to `not_after`."""
    decided_at: datetime
    not_after: datetime
    cost: int = 0
    currency: str = "EUR"
    value: float = 0.0
    """Expected value in minor units: when capacity is short the highest goes first."""
    template: str = ""
    list: str = ""
    """The dialler list of a call."""
    attempts: int = 1
    """How many attempts there may be. Each is a contact of its own, decided when it is due."""
    spacing_seconds: int = 0
    attempt: int = 1
    """Which of them this is. The id of the first one, `-` and the number are the id of each further one."""
    test: bool = False
    """Nobody's contact: a text that the house sends to itself. No campaign made it, its customer is none, and it has no outcome."""


class Withdraw(Message, frozen=True, kw_only=True, tag="withdraw"):
    """What is queued for a run (or one action of it) must not be dispatched any more."""

    customer_id: str
    run_id: str
    reason: str
    at: datetime
    action_id: str = ""


class StopCampaign(Message, frozen=True, kw_only=True, tag="stop_campaign"):
    """Nothing of this campaign may be dispatched from now on; sent to every partition."""

    campaign: str
    at: datetime


class ResumeCampaign(Message, frozen=True, kw_only=True, tag="resume_campaign"):
    """A stopped campaign goes on; sent to every partition."""

    campaign: str
    at: datetime


ActionMessage = Contact | Withdraw | StopCampaign | ResumeCampaign

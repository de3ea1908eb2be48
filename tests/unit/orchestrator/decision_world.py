"""A small house for tests of decisions: one customer, campaigns compiled from definitions, and the fold driven like the processor does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_values
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from nextwave_contracts.actions import Content
from nextwave_contracts.customers import (
    Churn,
    Consent,
    ContactPoint,
    CustomerAbsorbed,
    CustomerMessage,
    CustomersMerged,
    CustomerUpdated,
    PastContact,
    Snapshot,
    Value,
)
from nextwave_contracts.decisions import Decision
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import CUSTOMERS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_orchestrator.campaigns.compile import compile_campaign, compile_segment
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment
from nextwave_orchestrator.catalogue import Catalogue, LiveCampaign
from nextwave_orchestrator.fold import Decider, Unit
from nextwave_orchestrator.state import CustomerState, Run, from_bytes, to_bytes
from nextwave_runtime.application import Taken, Timer

MONDAY_NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
CUSTOMER = "c-1"
KEY = b"k" * 32

Kind = TypeVar("Kind")


def snapshot(**changes: Any) -> Snapshot:
    """A customer in Berlin with mail and phone, who agreed to everything."""
    known: dict[str, Any] = {
        "customer_id": CUSTOMER,
        "version": 1,
        "identifiers": ("email:ann@example.com", "phone:+4915112345678"),
        "churn": Churn(risk=0.4, band="elevated", horizon_days=90, model="baseline"),
        "value": Value(cell="IV"),
        "contact_points": (
            ContactPoint(channel="email", address="ann@example.com"),
            ContactPoint(channel="sms", address="+4915112345678"),
            ContactPoint(channel="call", address="+4915112345678"),
        ),
        "consents": (Consent(channel="", purpose="", granted=True, at=MONDAY_NOON - timedelta(days=90)),),
        "zones": ("Europe/Berlin",),
        "country": "DE",
    }
    return Snapshot(**{**known, **changes})


def wave(key: str, *channels: str, window: str = "48h", **more: Any) -> dict[str, Any]:
    """A wave for everybody over these channels, answered by a look at `/renew`."""
    written: dict[str, Any] = {
        "key": key,
        "window": window,
        "response": {"any": [{"event": "page.viewed", "where": {"path": "/renew"}}, {"outcome": "answered"}]},
    }
    if channels:
        written["mixes"] = [{"segment": "*", "channels": [{"channel": c, "template": f"{key}-{c}"} for c in channels]}]
    return {**written, **more}


def campaign(key: str = "winter", *waves: dict[str, Any], version: int = 1, **changes: Any) -> LiveCampaign:
    """A published campaign that begins on `cart.updated` and is for `contract.renewed`."""
    written = {
        "key": key,
        "owner": "retention",
        "purpose": "marketing",
        "goal": {"event": "contract.renewed", "within": "30d", "value": 12_000},
        "entry": {"on": {"event": "cart.updated"}},
        "waves": list(waves) or [wave("tell", "email")],
    }
    return compile_campaign(msgspec.convert({**written, **changes}, type=Campaign), version, "published")


def render(template: str, _profile: Snapshot, _entry: Any = None) -> Content:
    """Every template exists but `missing`."""
    if template.startswith("missing"):
        raise KeyError(template)
    return Content(subject=template, text=f"text of {template}")


NO_CAPS = Policy(caps=())


def catalogue(*campaigns: LiveCampaign, policy: Policy = NO_CAPS, segments: Sequence[dict[str, Any]] = (), **changes: Any) -> Catalogue:
    """Everything live. By default without caps."""
    compiled = [compile_segment(msgspec.convert({"name": "", "owner": "", **s}, type=Segment)) for s in segments]
    known: dict[str, Any] = {
        "revision": 1,
        "segments": tuple(sorted(compiled, key=lambda s: (s.priority, s.key))),
        "campaigns": {(c.key, c.version): c for c in campaigns},
        "live": tuple(sorted(campaigns, key=lambda c: c.key)),
        "states": {c.key: "published" for c in campaigns},
        "ready": {},
        "policy": policy,
        "render": render,
        "identifier_key": KEY,
    }
    return Catalogue(**{**known, **changes})


@dataclass
class House:
    """Drives the fold: messages and due timers in, everything said kept in order. The state goes through its stored form each time."""

    rules: Catalogue
    now: datetime = MONDAY_NOON
    profile: Snapshot = field(default_factory=snapshot)
    said: list[Any] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    unit: Unit = field(default_factory=lambda: Unit(0, 1))
    ids: Callable[[], int] = field(default_factory=lambda: count(1).__next__)

    def touch(self, kind: str, at: datetime | None = None, *, suspect: bool = False, **data: Any) -> list[Any]:
        """A touchpoint that was received at `at` (default: now)."""
        received = at or self.now
        touchpoint = Touchpoint(
            id=f"t{self.ids()}",
            source="shop",
            type=kind,
            identifiers=("email:ann@example.com",),
            occurred_at=received,
            received_at=received,
            data=data,
            time_suspect=suspect,
        )
        return self.take(CustomerUpdated(customer_id=self.profile.customer_id, at=received, touchpoint=touchpoint, profile=self.profile))

    def outcome(self, kind: str, contact: Any, at: datetime | None = None) -> list[Any]:
        """An outcome of a contact."""
        happened = at or self.now
        named = {name: getattr(contact, name) for name in ("action_id", "customer_id", "campaign", "version", "wave", "run_id", "channel")}
        outcome = Outcome(id=f"o{self.ids()}", kind=kind, at=happened, **named)  # type: ignore[arg-type]  # kinds are literals in the tests
        return self.take(CustomerUpdated(customer_id=self.profile.customer_id, at=happened, outcome=outcome, profile=self.profile))

    def merge(self, absorbed: str, *, contacts: Sequence[PastContact] = ()) -> list[Any]:
        """Somebody else becomes part of the house's customer, and all of it is read at once."""
        at, into = self.now, self.profile.customer_id
        known = (*self.profile.absorbed, absorbed)
        self.profile = replace(self.profile, version=self.profile.version + 1, absorbed=known)
        said = self.take(CustomersMerged(customer_id=into, absorbed=absorbed, at=at, profile=self.profile, contacts=tuple(contacts)))
        said += self.take(CustomerAbsorbed(customer_id=absorbed, into=into, at=at))
        return said + self.wait(at)

    def take(self, message: CustomerMessage) -> list[Any]:
        """Takes a message in; what was said."""
        return self._fold(Taken(CUSTOMERS, 0, self.ids(), self.now, message))

    def wait(self, until: datetime) -> list[Any]:
        """Lets time pass: every timer due by `until` fires at its time, in due order."""
        said: list[Any] = []
        while due := sorted((t for t in self.timers if t.due_at <= until), key=lambda t: (t.due_at, t.key, t.kind)):
            self.timers.remove(due[0])
            self.now = max(self.now, due[0].due_at)
            said += self._fold(due[0])
        self.now = max(self.now, until)
        return said

    def fire(self, timer: Timer) -> list[Any]:
        """Fires one timer now, whether or not it is still valid."""
        return self._fold(timer)

    def change(self, **changes: Any) -> None:
        """Changes the catalogue."""
        self.rules = with_values(self.rules, **changes)

    def all(self, kind: type[Kind]) -> list[Kind]:
        """Everything of a kind said so far."""
        return [message for message in self.said if isinstance(message, kind)]

    @property
    def decisions(self) -> list[Decision]:
        """All decisions so far."""
        return self.all(Decision)

    @property
    def state(self) -> CustomerState:
        """The customer's state."""
        return self.unit.states.get(self.profile.customer_id) or CustomerState(customer_id=self.profile.customer_id)

    @property
    def run(self) -> Run:
        """The one open run."""
        (only,) = self.state.runs
        return only

    def _fold(self, item: Taken | Timer) -> list[Any]:
        said = [outgoing.message for outgoing in Decider(lambda: self.rules).fold(self.unit, item, self.now)]
        self.timers += self.unit.timers
        self.unit.timers.clear()
        assert all(self.unit.states[changed].updated_at for changed in self.unit.changed), "the database keeps no state without its time"
        self.unit.states = {key: from_bytes(to_bytes(state)) for key, state in self.unit.states.items()}
        self.said += said
        return said

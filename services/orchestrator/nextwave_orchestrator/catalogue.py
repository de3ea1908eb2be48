"""What the fold knows of the owners' rules: everything live, compiled, immutable, replaced as a whole within a second of a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import msgspec
from nextwave_contracts.customers import Snapshot

from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Step

CampaignState = Literal["draft", "published", "paused", "ended"]


class Happening(msgspec.Struct, frozen=True, array_like=True):
    """Something that happened to the customer, as rules see it: a touchpoint type, or `outcome.<kind>`. Stored with the customer."""

    type: str
    at: datetime
    data: Mapping[str, Any]
    received_at: datetime | None = None
    """When it was received, by which it counts for runs; None for what moves none (its time is suspect, or it is only tried out)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule is evaluated over. `history` is newest last and bounded."""

    profile: Snapshot
    history: Sequence[Happening]
    now: datetime


Predicate = Callable[[Facts], bool]
EventPredicate = Callable[[Happening], bool]


@dataclass(frozen=True, slots=True)
class LiveSegment:
    """A compiled segment."""

    key: str
    priority: int
    matches: Predicate


@dataclass(frozen=True, slots=True)
class LiveWave:
    """A compiled wave. `enter_after` is empty for the first wave."""

    key: str
    window: timedelta
    mixes: tuple[tuple[str, tuple[Step, ...]], ...]
    enter_after: str
    enter_unless_responded: bool
    enter_on: Mapping[str, Step]
    is_response: EventPredicate


@dataclass(frozen=True, slots=True)
class LiveCampaign:
    """A compiled version of a campaign."""

    definition: Campaign
    version: int
    state: CampaignState
    enters: Callable[[Happening | None, Sequence[tuple[str, str, str]]], bool]
    """Whether this event, or these profile changes `(field, before, after)`, let a customer in."""
    reentry: timedelta | None
    is_goal: EventPredicate
    goal_within: timedelta
    waves: tuple[LiveWave, ...]
    spacing: Callable[[str], timedelta]
    """Duration text to time, for steps."""

    @property
    def key(self) -> str:
        """The campaign's key."""
        return self.definition.key


class Renderer(Protocol):
    """Renders a template for a customer; raises `KeyError` for an unknown template."""

    def __call__(self, template: str, profile: Snapshot) -> tuple[str, str, str]:
        """`(subject, text, html)`."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of it. `campaigns` holds every version that may still have people in flight; `live` the newest published ones by key."""

    revision: int
    segments: tuple[LiveSegment, ...]
    """In priority order, then by key."""
    campaigns: Mapping[tuple[str, int], LiveCampaign]
    live: tuple[LiveCampaign, ...]
    """Published (not paused, not ended), newest version each, by key."""
    states: Mapping[str, CampaignState]
    """The state of a campaign key now: it governs every version of it."""
    ready: Mapping[str, bool]
    policy: Policy
    render: Renderer
    identifier_key: bytes
    """Secret of the keyed hashes of identifiers in contacts."""

    def segment_of(self, facts: Facts, wanted: Sequence[str]) -> str:
        """The first of `wanted` segment keys, in the segments' priority order, that the customer is in; `*` if wanted; else empty."""
        for segment in self.segments:
            if segment.key in wanted and segment.matches(facts):
                return segment.key
        return "*" if "*" in wanted else ""

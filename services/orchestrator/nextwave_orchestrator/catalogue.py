"""What the fold knows of the owners' rules: everything live, compiled, immutable, replaced as a whole within a second of a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import msgspec
from nextwave_contracts.actions import Content
from nextwave_contracts.customers import Snapshot

from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Step
from nextwave_orchestrator.responses.rates import Responses
from nextwave_orchestrator.triggers.dates import DateTrigger
from nextwave_orchestrator.triggers.timetable import Timetable

CampaignState = Literal["draft", "published", "paused", "ended"]


class Happening(msgspec.Struct, frozen=True, array_like=True):
    """Something that happened to the customer, as rules see it: a touchpoint type, or `outcome.<kind>`. Stored with the customer."""

    type: str
    at: datetime
    data: Mapping[str, Any]
    received_at: datetime | None = None
    """When it was received, by which it counts for runs; None for what moves none (its time is suspect, or it is only tried out)."""
    cut: bool = False
    """Whether `data` is less than all that was said. What is there is whole, and None there is known to be absent."""

    def is_lost(self, path: str) -> bool:
        """Whether nobody can tell any more what was said at this path."""
        return self.cut and path not in self.data


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule is evaluated over. `history` is newest last and bounded."""

    profile: Snapshot
    history: Sequence[Happening]
    now: datetime


Predicate = Callable[[Facts], bool]
EventPredicate = Callable[[Happening], bool]
Asked = frozenset[tuple[str, str]]
"""What rules ask of events: `(event type, path in its data)` each."""


@dataclass(frozen=True, slots=True)
class LiveSegment:
    """A compiled segment."""

    key: str
    priority: int
    matches: Predicate
    asked: Asked
    next_moment: Callable[[Facts], datetime | None] | None = None
    """When membership may change next by time alone; None for a rule in which time plays no part."""


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
    best: frozenset[str] = frozenset()
    """Segments whose mix takes the channel with the highest score instead of the first permitted one."""


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
    asked: Asked
    """By goal and responses, the entry's key included. An entry is judged on the event itself, which is never cut."""
    date: DateTrigger | None = None
    schedule: Timetable | None = None

    @property
    def key(self) -> str:
        """The campaign's key."""
        return self.definition.key


class Renderer(Protocol):
    """Renders a template for a customer; raises `KeyError` for an unknown template."""

    def __call__(self, template: str, profile: Snapshot, entry: Mapping[str, Any] | None = None) -> Content:
        """What is said to them. `entry`: the data of the event that let the customer in."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of it. `campaigns` holds every version that may still have people in flight; `live` the newest published ones by key."""

    revision: int
    segments: tuple[LiveSegment, ...]
    """In priority order, then by key."""
    campaigns: Mapping[tuple[str, int], LiveCampaign]
    live: tuple[LiveCampaign, ...]
    """Open for entries: published (not paused, not ended, not draining), newest version each, by key."""
    states: Mapping[str, CampaignState]
    """The state of a campaign key now: it governs every version of it."""
    ready: Mapping[str, bool]
    policy: Policy
    render: Renderer
    identifier_key: bytes
    """Secret of the keyed hashes of identifiers in contacts."""
    responses: Responses = field(default_factory=Responses)
    """How likely answers are, as learned up to a minute ago."""
    migrations: Mapping[str, int] = field(default_factory=dict)
    """By campaign key, the version to which whoever is in an older one goes over."""
    misfits: Mapping[str, str] = field(default_factory=dict)
    """What is stored and was left out because this release cannot read it, and why."""
    asked: Mapping[str, tuple[str, ...]] = field(init=False)
    """By event type the paths that rules ask for, those of campaigns first: what is remembered of an event before all else."""
    watched: tuple[LiveSegment, ...] = field(init=False)
    """The segments that somebody waits for to be entered or left."""
    by_event: Mapping[str, tuple[LiveCampaign, ...]] = field(init=False)
    """The live campaigns that wait for an event, by its type."""
    by_change: tuple[LiveCampaign, ...] = field(init=False)
    """The live campaigns that wait for something of the customer to be entered or left."""
    dated: tuple[LiveCampaign, ...] = field(init=False)
    """The live campaigns that wait for a day of the profile."""
    scheduled: tuple[LiveCampaign, ...] = field(init=False)
    """The live campaigns with a schedule."""

    def __post_init__(self) -> None:
        """Gathers what is asked, once for each catalogue."""
        campaigns = {one for campaign in self.campaigns.values() if campaign.state != "ended" for one in campaign.asked}
        segments = {one for segment in self.segments for one in segment.asked} - campaigns
        asked: dict[str, tuple[str, ...]] = {}
        for type_, path in (*sorted(campaigns), *sorted(segments)):
            asked[type_] = (*asked.get(type_, ()), path)
        object.__setattr__(self, "asked", asked)
        triggers = [(campaign, campaign.definition.entry.on) for campaign in self.live]
        keys = {key for _, on in triggers for side in (on.entered, on.left) for key in side.get("segment", ())}
        by_event: dict[str, tuple[LiveCampaign, ...]] = {}
        for campaign, on in triggers:
            if on.event:
                by_event[on.event] = (*by_event.get(on.event, ()), campaign)
        object.__setattr__(self, "by_event", by_event)
        object.__setattr__(self, "by_change", tuple(campaign for campaign, on in triggers if on.entered or on.left))
        object.__setattr__(self, "watched", tuple(segment for segment in self.segments if segment.key in keys))
        object.__setattr__(self, "dated", tuple(campaign for campaign in self.live if campaign.date is not None))
        object.__setattr__(self, "scheduled", tuple(campaign for campaign in self.live if campaign.schedule is not None))

    def entered_by(self, happening: Happening | None, changes: Sequence[tuple[str, str, str]]) -> list[LiveCampaign]:
        """The live campaigns that this event or these changes let a customer into."""
        waiting = () if happening is None else self.by_event.get(happening.type, ())
        waiting = (*waiting, *self.by_change) if changes else waiting
        return [campaign for campaign in waiting if campaign.enters(happening, changes)]

    def segment_of(self, facts: Facts, wanted: Sequence[str]) -> str:
        """The first of `wanted` segment keys, in the segments' priority order, that the customer is in; `*` if wanted; else empty."""
        for segment in self.segments:
            if segment.key in wanted and segment.matches(facts):
                return segment.key
        return "*" if "*" in wanted else ""

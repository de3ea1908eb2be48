"""What a simulated life leaves behind: one sequence of steps, the only thing that the checker sees of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Place = Literal["door", "owner", "scoring", "orchestrator", "channels", "claim", "provider"]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was committed at `now`: what was taken in, and what was said of it. A door takes a touchpoint and says its holds."""

    now: datetime
    place: Place
    took: Any
    said: tuple[Any, ...] = ()
    at: datetime | None = None
    """The append instant of what was taken in; None for what was not read from a topic."""


@dataclass(frozen=True, slots=True)
class Rang:
    """A timer that fired."""

    kind: str
    key: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """The owners' documents from this step on. `live` are the versions that new customers enter."""

    campaigns: Mapping[tuple[str, int], Mapping[str, Any]]
    live: Mapping[str, int]
    states: Mapping[str, str]
    policy: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A channel decided to dispatch this action now."""

    action_id: str


@dataclass(frozen=True, slots=True)
class Called:
    """A provider was called; `answer` is what came back, `has_it` whether it took the contact whatever it answered."""

    action_id: str
    answer: Literal["accepted", "refused", "uncertain"]
    has_it: bool


@dataclass(frozen=True, slots=True)
class OptedOut:
    """A provider said that whoever has these names (hashed) wants no more of this channel."""

    subjects: tuple[str, ...]
    channel: str


@dataclass(frozen=True, slots=True)
class Key:
    """How a simulation is run again: its seed, the seed of lag, batches and faults, how many people, and what is broken on purpose."""

    seed: int
    weather: int = 0
    people: int = 40
    broken: str = ""
    """`seen`, `marks`, `watermarks`, `claim_gate`, `caps`, `holds`, `horizon`, `estate`, `last_word` or `levers`."""

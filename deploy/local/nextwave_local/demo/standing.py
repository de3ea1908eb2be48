"""How far a run is: what the doors answered, and what the services say of themselves. PURE."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec


@dataclass(slots=True)
class Posted:
    """What has happened at the doors so far. `accepted` is the list to hold the ring to: the names of what got a 2xx."""

    accepted: set[tuple[str, str]] = field(default_factory=set)
    acknowledged: int = 0
    """Items in requests that got a 2xx, repeats counted each time."""
    refused: int = 0
    """Items given up: an answer that forbids another try, or too many tries."""
    retried: int = 0
    """Requests repeated because a door asked for it or did not answer."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The ring at one moment. `sources` is by source and subject; `deliveries` by channel; `unsettled` are deliveries still to be sent."""

    taken_in: int = 0
    duplicates_dropped: int = 0
    customers: int = 0
    bands: dict[str, int] = {}
    stages: dict[str, int] = {}
    sources: dict[str, dict[str, int]] = {}
    candidates: int = 0
    results: dict[str, int] = {}
    deliveries: dict[str, int] = {}
    unsettled: int = 0
    outcomes: dict[str, int] = {}
    people_accepted: int = 0
    """Touchpoints of the simulated people that a door took."""
    people_failed: int = 0
    people_waiting: int = 0
    lag: dict[str, int] = {}
    """By service, the messages that wait before it. Watermarks never cease, so the orchestrator's is not quite nothing for long."""

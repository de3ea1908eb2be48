"""`nextwave.sources.v1`: what each replica of ingest heard of each source, so that any of them can tell of all."""

from __future__ import annotations

from nextwave_contracts.reasons import IgnoreCode, RejectCode
from nextwave_contracts.wire import Instant, Message


class DoorTally(Message, frozen=True, kw_only=True):
    """Items of one source at one door, or by one mapping. `ignored`: a mapping has no rule for them."""

    last_seen_at: Instant
    accepted: int = 0
    ignored: int = 0
    ignored_for: dict[IgnoreCode, int] = {}
    rejected: dict[RejectCode, int] = {}
    warned: int = 0
    """Of those accepted: what may have been meant otherwise."""


class ItemRefused(Message, frozen=True, kw_only=True):
    """One refused item: when, at which door, and what to mend."""

    at: Instant
    door: str
    reason: RejectCode
    pointer: str
    detail: str


class Noted(Message, frozen=True, kw_only=True):
    """The same thing noted of a source's items or requests, at one door: how often, and when last."""

    at: Instant
    door: str
    reason: str = ""
    pointer: str = ""
    detail: str
    times: int = 1


class ClockTally(Message, frozen=True, kw_only=True):
    """How far the source's clock was from the reception, once per request that said a time.

    `distances`: requests by size class; class n ends at 0.1 * 1.25 ** n seconds. `ahead`: how many said a time more than a second to come.
    """

    distances: dict[int, int] = {}
    ahead: int = 0


class SourceTally(Message, frozen=True, kw_only=True):
    """All that one life of a replica, since its start, heard of one source. The newest says everything: those before it say less."""

    replica: str
    source: str
    since: Instant
    at: Instant
    """By the replica's wall clock, as `since`."""
    doors: dict[str, DoorTally] = {}
    clock: ClockTally = ClockTally()
    turned_away: int = 0
    """Requests of which nothing was taken."""
    turned_away_for: dict[str, int] = {}
    """The same, by the name of the problem that they were answered with."""
    turned_away_last: tuple[Noted, ...] = ()
    ignored_last: tuple[Noted, ...] = ()
    warned_last: tuple[Noted, ...] = ()
    refusals: tuple[ItemRefused, ...] = ()
    """The last refused items, oldest first."""

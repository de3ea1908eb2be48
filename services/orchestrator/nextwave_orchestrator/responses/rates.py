"""How likely a contact is answered: the share seen at its segment, channel and hour, shrunk to what is known more widely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from nextwave_orchestrator.responses.beta import interval

STRENGTH = 50
"""As how many contacts the wider rate counts, where the policy says nothing."""


class Rate(msgspec.Struct, frozen=True):
    """The probability of an answer, with 2.5 % of belief below `low` and 2.5 % above `high`; and the faded counts of the cell itself."""

    mean: float
    low: float
    high: float
    sent: float = 0.0
    answered: float = 0.0


class Cell(NamedTuple):
    """Where contacts are alike: the segment of the mix, the channel, and the local hour (0..23)."""

    segment: str
    channel: str
    hour: int


class Seen(NamedTuple):
    """Contacts whose wave is over, and those of them that were answered; faded, so not whole."""

    sent: float = 0.0
    answered: float = 0.0

    def plus(self, other: Seen) -> Seen:
        """Both together."""
        return Seen(self.sent + other.sent, self.answered + other.answered)

    def without(self, part: Seen) -> Seen:
        """The rest when a part of it is taken away."""
        return Seen(max(0.0, self.sent - part.sent), max(0.0, self.answered - part.answered))


@dataclass(frozen=True, slots=True)
class Responses:
    """What was seen, by cell and on the wider levels. Empty: the prior alone."""

    cells: Mapping[Cell, Seen] = field(default_factory=dict)
    strength: float = STRENGTH
    pairs: Mapping[tuple[str, str], Seen] = field(default_factory=dict)
    """By segment and channel, over all hours."""
    channels: Mapping[str, Seen] = field(default_factory=dict)

    def rate(self, segment: str, channel: str, hour: int, prior: float) -> Rate:
        """The posterior of this hour in this segment. `prior` (0..1) is the house's rate of the channel.

        Beta-binomial: what was seen in this hour is added to a beta distribution that weighs `strength` contacts, whose mean is that of
        the segment's other hours, which likewise begins at that of the channel's other segments, and that at the prior. Each contact is
        used once. An hour of which nothing is known is as sure as `strength` contacts make it, whatever is known of others.
        """
        seen = self.cells.get(Cell(segment, channel, hour), Seen())
        pair = self.pairs.get((segment, channel), Seen())
        mean = _mean(self.channels.get(channel, Seen()).without(pair), prior, self.strength)
        mean = _mean(seen, _mean(pair.without(seen), mean, self.strength), self.strength)
        weight = seen.sent + self.strength
        a, b = mean * weight, (1 - mean) * weight
        low, high = interval(a, b) if a > 0 and b > 0 else (mean, mean)
        return Rate(mean, low, high, seen.sent, seen.answered)


def responses_of(cells: Iterable[tuple[Cell, Seen]], strength: float) -> Responses:
    """From the counts of cells, each of which stands once."""
    by_cell = dict(cells)
    pairs: dict[tuple[str, str], Seen] = {}
    channels: dict[str, Seen] = {}
    for cell, seen in by_cell.items():
        pair = (cell.segment, cell.channel)
        pairs[pair] = pairs.get(pair, Seen()).plus(seen)
        channels[cell.channel] = channels.get(cell.channel, Seen()).plus(seen)
    return Responses(by_cell, strength, pairs, channels)


def local_hour(at: datetime, zones: Sequence[str]) -> int:
    """The hour (0..23) on the clock of the customer's first possible time zone; in UTC where none is known."""
    try:
        return at.astimezone(ZoneInfo(zones[0] if zones else "UTC")).hour
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return at.astimezone(UTC).hour


def _mean(seen: Seen, wider: float, strength: float) -> float:
    weight = seen.sent + strength
    return (seen.answered + strength * wider) / weight if weight > 0 else wider

"""What a customer's own words and acts mean, recomputed from raw touchpoints whenever it is asked: consent, complaints, rests, home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from nextwave_contracts.identifiers import strongest
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Told:
    """A touchpoint, and when it was received."""

    touchpoint: Touchpoint
    at: datetime

    @property
    def stop_at(self) -> datetime:
        """A stop counts from its reception at the earliest."""
        return max(self.touchpoint.occurred_at, self.at)

    @property
    def own_at(self) -> datetime:
        """Everything else counts from when it happened."""
        return min(self.touchpoint.occurred_at, self.at)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a contact."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Joined:
    """Another customer, with all that was known of them, turned out to be this one."""

    other: Heard


@dataclass(frozen=True, slots=True)
class Said:
    """A good or bad word, the names of the touchpoint that said it, and (a good one) how far behind a bad one it still lifts that."""

    names: tuple[str, ...]
    at: datetime
    grace: timedelta = timedelta()


Heard = tuple[Told | Ended | Joined, ...]
Words = tuple[datetime, datetime]
"""The newest good word and the newest bad one."""


def is_stopped(words: Words) -> bool:
    """Whether the bad word stands: at the same instant it wins."""
    good, bad = words
    return bad > NEVER and bad >= good


def _standing(heard: Heard, bad: Sequence[Said], good: Sequence[Said]) -> list[datetime]:
    """The bad words that no good one has lifted: one lifts only what was said by names that were known to be one's with its own by then."""
    lifted = [(word, _one_by(heard, word)) for word in good]
    return [b.at for b in bad if not any(g.at > b.at - g.grace and strongest(b.names) in names for g, names in lifted)]


def _one_by(heard: Heard, word: Said) -> set[str]:
    """The names that touchpoints received up to then had given together with those of the word, directly or by way of others."""
    given = [set(told.touchpoint.identifiers) for told in _told(heard) if told.at <= word.at]
    known: set[str] = set(word.names)
    while grown := [names for names in given if names & known and not names <= known]:
        known = known.union(*grown)
    return known


def _words(heard: Heard, bad: Sequence[Said], good: Sequence[Said]) -> Words:
    """A bad word that stands outlasts every good one that was said by now."""
    newest = max((word.at for word in good), default=NEVER)
    standing = _standing(heard, bad, good)
    return newest, max([*(word.at for word in bad), *([newest] if standing else [])], default=NEVER)


def consent(heard: Heard, channel: str, purpose: str) -> Words:
    """Grants and withdrawals that cover this channel and purpose."""
    said = [(told, _consent_said(told.touchpoint, channel, purpose)) for told in _told(heard)]
    bad = [Said(told.touchpoint.identifiers, told.stop_at) for told, granted in said if granted is False]
    return _words(heard, bad, [Said(told.touchpoint.identifiers, told.own_at) for told, granted in said if granted])


def _consent_said(touchpoint: Touchpoint, channel: str, purpose: str) -> bool | None:
    data = touchpoint.data
    if touchpoint.type == "sms.received" and channel == "sms":
        return {"opt_in": True, "opt_out": False}.get(str(data.get("wish")))
    covers = data.get("channel") in ("", channel) and data.get("purpose") in ("", purpose)
    return {"consent.granted": True, "consent.withdrawn": False}.get(touchpoint.type) if covers else None


def open_complaints(heard: Heard) -> dict[str, datetime]:
    """By reference, since when; a closing without a reference closes every one. At the same instant it is closed."""
    found: dict[str, datetime] = {}
    opened = [told for told in _told(heard) if told.touchpoint.type == "complaint.opened"]
    for reference in {told.touchpoint.data["reference"] for told in opened}:
        bad = [Said(t.touchpoint.identifiers, t.stop_at) for t in opened if t.touchpoint.data["reference"] == reference]
        closed = [t for t in _told(heard) if t.touchpoint.type == "complaint.resolved"]
        good = [Said(t.touchpoint.identifiers, t.own_at, INSTANT) for t in closed if t.touchpoint.data["reference"] in ("", reference)]
        if standing := _standing(heard, bad, good):
            found[reference] = max(standing)
    return found


def satisfaction(heard: Heard) -> Words:
    """Complaints closed well, and closed badly."""
    closed = [told for told in _told(heard) if told.touchpoint.type == "complaint.resolved"]
    is_bad = [told.touchpoint.data.get("satisfied") is False for told in closed]
    said = [Said(told.touchpoint.identifiers, told.own_at) for told in closed]
    return _words(heard, [s for s, bad in zip(said, is_bad, strict=True) if bad], [s for s, b in zip(said, is_bad, strict=True) if not b])


def _told(heard: Heard) -> list[Told]:
    return [item for item in everything(heard) if isinstance(item, Told)]


def everything(heard: Heard) -> Iterator[Told | Ended]:
    """All of it, of everybody who became this customer."""
    for item in heard:
        if isinstance(item, Joined):
            yield from everything(item.other)
        else:
            yield item


def has_merged(heard: Heard) -> bool:
    """Whether this was ever more than one customer."""
    return any(isinstance(item, Joined) for item in heard)


def complained_at(heard: Heard) -> datetime:
    """The last complaint."""
    told = (item for item in everything(heard) if isinstance(item, Told))
    return max((item.stop_at for item in told if item.touchpoint.type == "complaint.opened"), default=NEVER)


def came_at(heard: Heard) -> datetime:
    """The last time that the customer wrote to us; what happened too long ago to be told apart from history is not it."""
    told = (item for item in everything(heard) if isinstance(item, Told))
    return max((t.own_at for t in told if t.touchpoint.type == "sms.received" and not t.touchpoint.time_suspect), default=NEVER)


def refused_at(heard: Heard, channel: str) -> datetime:
    """The last time that a contact on this channel was refused."""
    ended = (item.outcome for item in everything(heard) if isinstance(item, Ended))
    return max((o.at for o in ended if o.kind == "refused" and o.channel == channel), default=NEVER)


def names(heard: Heard) -> set[str]:
    """Every name given."""
    return {name for item in everything(heard) if isinstance(item, Told) for name in item.touchpoint.identifiers}


def address(heard: Heard, kind: str) -> str:
    """The newest address of a kind (`email`, `phone`)."""
    told = (item for item in everything(heard) if isinstance(item, Told))
    given = [(item.own_at, name) for item in told for name in item.touchpoint.identifiers if name.startswith(f"{kind}:")]
    return max(given, default=(NEVER, ""))[1].partition(":")[2]


def home(heard: Heard) -> dict[str, Any]:
    """What was last said of time zone, country, region and quiet hours."""
    told = (item for item in everything(heard) if isinstance(item, Told) and item.touchpoint.type == "customer.identified")
    newest: dict[str, Any] = {}
    for item in sorted(told, key=lambda item: item.own_at):
        newest.update(item.touchpoint.data)
    return newest

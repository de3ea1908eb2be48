"""What a customer's own words and acts mean, recomputed from raw touchpoints whenever it is asked: consent, complaints, rests, home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


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


Heard = tuple[Told | Ended | Joined, ...]
Words = tuple[datetime, datetime]
"""The newest good word and the newest bad one."""


def is_stopped(words: Words) -> bool:
    """Whether the bad word stands: at the same instant it wins."""
    good, bad = words
    return bad > NEVER and bad >= good


def _stricter(a: Words, b: Words) -> Words:
    """Of two who are one: a bad word that stands for either outlasts every good one that was said by now."""
    good = max(a[0], b[0])
    return good, max(a[1], b[1], good if is_stopped(a) or is_stopped(b) else NEVER)


def consent(heard: Heard, channel: str, purpose: str) -> Words:
    """Grants and withdrawals that cover this channel and purpose."""
    words: Words = (NEVER, NEVER)
    for item in heard:
        if isinstance(item, Joined):
            words = _stricter(words, consent(item.other, channel, purpose))
        elif isinstance(item, Told) and (said := _consent_said(item.touchpoint, channel, purpose)) is not None:
            words = (max(words[0], item.own_at), words[1]) if said else (words[0], max(words[1], item.stop_at))
    return words


def _consent_said(touchpoint: Touchpoint, channel: str, purpose: str) -> bool | None:
    data = touchpoint.data
    if touchpoint.type == "sms.received" and channel == "sms":
        return {"opt_in": True, "opt_out": False}.get(str(data.get("wish")))
    covers = data.get("channel") in ("", channel) and data.get("purpose") in ("", purpose)
    return {"consent.granted": True, "consent.withdrawn": False}.get(touchpoint.type) if covers else None


def open_complaints(heard: Heard) -> dict[str, datetime]:
    """By reference, since when. One that is open for either of two who are one stays open until it is closed again."""
    opened: dict[str, datetime] = {}
    closed: dict[str, datetime] = {}
    for item in heard:
        if isinstance(item, Joined):
            own, other = _still_open(opened, closed), open_complaints(item.other)
            told = {*opened, *closed} - {"", *own, *other}
            closed = {ref: max(closed.get(ref, NEVER), closed.get("", NEVER)) for ref in told}
            opened = {ref: max(part[ref] for part in (own, other) if ref in part) for ref in {**own, **other}}
        elif isinstance(item, Told) and item.touchpoint.type == "complaint.opened":
            ref = item.touchpoint.data["reference"]
            opened[ref] = max(opened.get(ref, NEVER), item.stop_at)
        elif isinstance(item, Told) and item.touchpoint.type == "complaint.resolved":
            ref = item.touchpoint.data["reference"]
            closed[ref] = max(closed.get(ref, NEVER), item.own_at)
    return _still_open(opened, closed)


def _still_open(opened: dict[str, datetime], closed: dict[str, datetime]) -> dict[str, datetime]:
    return {ref: at for ref, at in opened.items() if at > max(closed.get(ref, NEVER), closed.get("", NEVER))}


def satisfaction(heard: Heard) -> Words:
    """Complaints closed well, and closed badly."""
    words: Words = (NEVER, NEVER)
    for item in heard:
        if isinstance(item, Joined):
            words = _stricter(words, satisfaction(item.other))
        elif isinstance(item, Told) and item.touchpoint.type == "complaint.resolved":
            bad = item.touchpoint.data.get("satisfied") is False
            words = (words[0], max(words[1], item.own_at)) if bad else (max(words[0], item.own_at), words[1])
    return words


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

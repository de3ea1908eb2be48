"""Frequency caps and limits by law, counted exactly over sliding windows: a contact at `r` counts at every `t` with `r <= t < r + per`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace
from nextwave_contracts.outcomes import CONTACT_MADE, NOT_SENT

from nextwave_orchestrator.state import RESERVATIONS_MAX, RESERVED_FOR, TRIES_KEPT, Reservation, contact_of, latest

LONG_AFTER: frozenset[str] = frozenset({"opened", "clicked", "replied"})
"""Outcomes that may come when the contact has long ceased to count."""
TRIED: frozenset[str] = (CONTACT_MADE - LONG_AFTER) | {"unknown"}
"""Outcomes that say when the customer was reached for, perhaps."""


class CapRule(msgspec.Struct, frozen=True, array_like=True):
    """At most `most` contacts per `seconds`; an empty channel, campaign or purpose counts over all of them."""

    most: int
    seconds: float
    channel: str = ""
    campaign: str = ""
    purpose: str = ""

    def covers(self, channel: str, campaign: str, purpose: str) -> bool:
        """Whether such a contact uses this cap up."""
        return self.channel in ("", channel) and self.campaign in ("", campaign) and (self.purpose in ("", purpose) or not purpose)

    @property
    def words(self) -> str:
        """What a decision says of it."""
        return f"at most {self.most} per {self.seconds:g} s"


class Limit(msgspec.Struct, frozen=True, array_like=True):
    """What a law allows a customer's house now: at most `most` tries per `seconds` over all `channels`, none before `rests_until`."""

    law: str
    source: str
    most: int
    seconds: float
    channels: tuple[str, ...]
    purposes: tuple[str, ...]
    rests_until: datetime | None = None
    """When the rest after a refusal ends; None where there was none."""

    def covers(self, channel: str, _campaign: str, purpose: str) -> bool:
        """Whether such a contact is meant."""
        return channel in self.channels and (not purpose or purpose in self.purposes)

    @property
    def named(self) -> str:
        """The law, and where it stands."""
        return f"{self.law} ({self.source})"

    @property
    def words(self) -> str:
        """What a decision says of it."""
        return f"at most {self.most} tries per {self.seconds / 3600:g} h by {self.named}"


def instants(rule: CapRule | Limit, contacts: Iterable[Reservation], now: datetime) -> list[datetime]:
    """When the contacts were made that use `rule` up, by what is known at `now`, oldest first.

    For a cap all attempts at a call are one contact, made when the last of them was decided. For a limit each attempt is one, made
    when the customer was tried.
    """
    counted = [one for one in contacts if one.counts and rule.covers(one.channel, one.campaign, one.purpose)]
    if isinstance(rule, Limit):
        return sorted(one.try_at(now) for one in counted)
    made: dict[str, datetime] = {}
    for one in counted:
        first = contact_of(one.action_id)
        made[first] = max(one.at, made.get(first, one.at))
    return sorted(made.values())


def used(rule: CapRule | Limit, reservations: Iterable[Reservation], at: datetime) -> list[datetime]:
    """The instants, oldest first, of the contacts that count for `rule` at `at` (one that lies ahead counts too)."""
    opened = at - timedelta(seconds=rule.seconds)
    return [instant for instant in instants(rule, reservations, at) if instant > opened]


def free_at(rule: CapRule | Limit, reservations: Sequence[Reservation], at: datetime) -> datetime:
    """The earliest instant from `at` on at which one more contact is allowed, if no other comes. `datetime.max` for a cap of none."""
    counted = used(rule, reservations, at)
    if len(counted) < rule.most:
        return at
    if rule.most <= 0:
        return datetime.max.replace(tzinfo=at.tzinfo)
    return counted[len(counted) - rule.most] + timedelta(seconds=rule.seconds)


def has_room(rule: CapRule | Limit, taken: Sequence[datetime], at: datetime) -> bool:
    """Whether one contact more at `at` overfills no window, also none that ends later, where some of those `taken` lie ahead."""
    per = timedelta(seconds=rule.seconds)
    counted = [instant for instant in taken if at - per < instant < at + per]
    ends = {at, *(instant for instant in counted if instant > at)}
    return all(sum(end - per < instant <= end for instant in counted) < rule.most for end in ends)


def room_at(places: Sequence[tuple[CapRule | Limit, Sequence[datetime]]], at: datetime) -> datetime:
    """The first instant from `at` on at which every cap has room beside what is taken of it; `datetime.max` when one allows no contact."""
    if any(rule.most <= 0 for rule, _ in places):
        return datetime.max.replace(tzinfo=at.tzinfo)
    left = {instant + timedelta(seconds=rule.seconds) for rule, taken in places for instant in taken}
    free = (at, *sorted(instant for instant in left if instant > at))
    return next(instant for instant in free if all(has_room(rule, taken, instant) for rule, taken in places))


def reserve(reservations: tuple[Reservation, ...], new: Reservation) -> tuple[Reservation, ...]:
    """With `new`, once per action, oldest first, without those too old to count; beyond the bound what no cap counts goes first."""
    oldest = new.at - RESERVED_FOR
    kept = [*(r for r in reservations if r.at > oldest and r.action_id != new.action_id), new]
    kept.sort(key=lambda r: (r.at, r.action_id))
    if len(kept) <= RESERVATIONS_MAX:
        return tuple(kept)
    last = {contact_of(r.action_id): r.action_id for r in kept if r.counts}
    bounded = sorted(kept, key=lambda r: last.get(contact_of(r.action_id)) == r.action_id)[-RESERVATIONS_MAX:]
    tries: dict[tuple[str, str], list[Reservation]] = {}
    for one in (r for r in kept if r.counts):
        tries.setdefault((one.channel, one.purpose), []).append(one)
    newest = [one for each in tries.values() for one in each[-TRIES_KEPT:]]
    return tuple(sorted({*bounded, *newest}, key=lambda r: (r.at, r.action_id)))


def together(mine: tuple[Reservation, ...], theirs: Sequence[Reservation]) -> tuple[Reservation, ...]:
    """The contacts of both customers of a merge, each once: what is known of it by its decision, the earliest, beats what was heard."""
    joined = mine
    for other in theirs:
        known = next((r for r in joined if r.action_id == other.action_id), other)
        first = min(known, other, key=lambda r: (not r.purpose, r.at))
        booked = known if known.cost is not None else other
        joined = reserve(
            joined,
            replace(
                first,
                unsent=known.unsent or other.unsent,
                made=known.made or other.made,
                cost=booked.cost,
                place=booked.place,
                latest=booked.latest,
                tried_at=latest(known.tried_at, other.tried_at),
            ),
        )
    return joined


def settle(reservations: tuple[Reservation, ...], heard: Reservation, outcome: str) -> tuple[Reservation, ...]:
    """With what `outcome` says of the contact `heard`, in any order of outcomes: a failure gives it back, proof of contact takes it again.

    A contact not known here (made by a customer just absorbed) counts from when it is heard of, unless that may be long after it.
    """
    known = next((r for r in reservations if r.action_id == heard.action_id), None)
    if known is None and outcome in LONG_AFTER:
        return reservations
    contact = known or heard
    settled = replace(
        contact,
        unsent=contact.unsent or outcome in NOT_SENT,
        made=contact.made or outcome in CONTACT_MADE,
        tried_at=_tried(contact, heard.at, outcome),
    )
    return reservations if settled == known else reserve(reservations, settled)


def _tried(contact: Reservation, at: datetime, outcome: str) -> datetime | None:
    """When the customer was last tried. Whoever takes a call may dial it later; what else is accepted is on its way."""
    if outcome in TRIED or (outcome == "accepted" and contact.channel != "call"):
        return max(at, contact.tried_at or at)
    return contact.tried_at

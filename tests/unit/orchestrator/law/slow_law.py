"""The limits as their texts read, slow and by itself: every try, every window, every calendar day is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Try:
    """The customer was reached for at an instant."""

    at: datetime
    channel: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Person:
    """Where somebody may be, what they agreed to (channel, purpose, granted, at) and when they said no on a channel."""

    places: frozenset[str]
    """`FR`, `US-FL` and so on; `US` alone where the state is not known."""
    zones: tuple[str, ...] = ()
    consents: tuple[tuple[str, str, bool, datetime], ...] = ()
    refusals: tuple[tuple[str, datetime], ...] = ()


def broken(person: Person, tries: Sequence[Try], one: Try) -> set[str]:
    """The laws that one try more would break, beside those made before and after it."""
    found: set[str] = set()
    if one.purpose != "marketing":
        return found
    if "FR" in person.places and one.channel == "call" and not _agreed_by_name(person, one.at):
        calls = [other.at for other in tries if other.channel == "call" and other.purpose == "marketing"]
        if _fullest([*calls, one.at], timedelta(days=30)) > 4 or not _sixty_days_are_over(person, one.at):
            found.add("FR-voice")
    for state, key in (("US-FL", "US-FL-solicitation"), ("US-OK", "US-OK-solicitation")):
        if person.places & {state, "US"} and one.channel in {"call", "sms"}:
            sold = [other.at for other in tries if other.channel in {"call", "sms"} and other.purpose == "marketing"]
            if _fullest([*sold, one.at], timedelta(hours=24)) > 3:
                found.add(key)
    return found


def _fullest(instants: Sequence[datetime], length: timedelta) -> int:
    """How many lie in the fullest stretch of that length; two that are the whole length apart do not lie in one."""
    return max(sum(start <= at < start + length for at in instants) for start in instants)


def _sixty_days_are_over(person: Person, at: datetime) -> bool:
    """Sixty whole days of the calendar after the day on which they said no, wherever they may be."""
    for channel, refused_at in person.refusals:
        if channel not in {"", "call"} or refused_at > at:
            continue
        for name in person.zones:
            zone = ZoneInfo(name)
            if (at.astimezone(zone).date() - refused_at.astimezone(zone).date()).days <= 60:
                return False
    return True


def _agreed_by_name(person: Person, at: datetime) -> bool:
    """Calls for marketing were agreed to in so many words, and nothing they said since goes against it."""
    said = sorted((c for c in person.consents if c[3] <= at), key=lambda c: c[3])
    agreed = [c for c in said if c[:3] == ("call", "marketing", True)]
    if not agreed:
        return False
    since = agreed[-1][3]
    took_back = any(not c[2] and c[0] in {"", "call"} and c[1] in {"", "marketing"} and c[3] >= since for c in said)
    refused = any(channel in {"", "call"} and since <= refused_at <= at for channel, refused_at in person.refusals)
    return not took_back and not refused

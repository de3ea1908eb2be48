"""Legal and house contact hours as data. All that apply hold at once: a looser level never widens a stricter one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from nextwave_contracts.identifiers import countries_of_phone

Windows = tuple[tuple[int, int], ...]
"""Half-open ranges of local seconds of the day, in order, apart from each other."""

DAY = 86_400
ALL_DAY: Windows = ((0, DAY),)
_CLOCK = re.compile(r"[0-9]{1,2}:[0-5][0-9]")
_PART = re.compile(r"[A-Z0-9]{1,3}")


def clock(text: str) -> int:
    """Local seconds of the day of `HH:MM` (or `H:MM`), `24:00` allowed. Raises `ValueError`."""
    hour, _, minute = text.partition(":")
    if _CLOCK.fullmatch(text) is None or (seconds := int(hour) * 3600 + int(minute) * 60) > DAY:
        raise ValueError(f"{text!r} is no time of day: write HH:MM")
    return seconds


def windows(text: str) -> Windows:
    """From `09:00-13:00 14:00-20:00`; an empty text is closed all day."""
    ranges = (part.partition("-") for part in text.split())
    return tuple((clock(start), clock(end)) for start, _, end in ranges)


@dataclass(frozen=True, slots=True)
class ContactRule:
    """Local hours in which `channels` may contact somebody in `region` (ISO 3166-1 or 3166-2; `EU`; empty: anywhere unknown).

    `basis` says how it was found: `source` read in one, `memory` to be checked before release, `house` our own caution.
    On national holidays everything here is closed, by house rule.
    """

    region: str
    weekdays: str
    saturday: str
    sunday: str
    basis: Literal["source", "memory", "house"]
    note: str
    channels: tuple[str, ...] = ("sms", "call")

    def on(self, weekday: int) -> Windows:
        """The windows of a day of the week (Monday is 0)."""
        return windows(self.weekdays if weekday < 5 else (self.saturday, self.sunday)[weekday - 5])


def _daily(region: str, hours: str, note: str, *, sunday: str | None = None) -> ContactRule:
    return ContactRule(region, hours, hours, hours if sunday is None else sunday, "source", note)


RULES: tuple[ContactRule, ...] = (
    _daily("US", "08:00-21:00", "47 CFR 64.1200(c)(1), calls and texts, recipient's local time"),
    _daily("US-FL", "08:00-20:00", "state telephone solicitation act"),
    _daily("US-OK", "08:00-20:00", "state telephone solicitation act"),
    _daily("US-MD", "08:00-20:00", "state telephone solicitation act"),
    _daily("US-MA", "08:00-20:00", "state telemarketing rule"),
    _daily("US-NJ", "08:00-20:00", "one source only"),
    _daily("US-TX", "09:00-21:00", "state business code", sunday="12:00-21:00"),
    _daily("US-CT", "09:00-20:00", "sources differ; the strictest is taken"),
    _daily("US-NV", "09:00-20:00", "state telemarketing rule"),
    _daily("US-AL", "08:00-20:00", "none on Sunday or holiday", sunday=""),
    _daily("US-LA", "08:00-20:00", "none on Sunday or holiday", sunday=""),
    _daily("US-MS", "08:00-20:00", "none on Sunday", sunday=""),
    ContactRule("US-RI", "09:00-18:00", "10:00-17:00", "", "source", "weekends differ by source; the strictest is taken"),
    _daily("US-KY", "10:00-21:00", "one source only"),
    _daily("US-MI", "09:00-21:00", "one source only"),
    _daily("US-MN", "09:00-21:00", "one source only"),
    _daily("US-NM", "09:00-21:00", "one source only"),
    _daily("US-PA", "08:00-21:00", "sources disagree on Sunday: closed", sunday=""),
    ContactRule("CA", "09:00-21:30", "10:00-18:00", "10:00-18:00", "source", "CRTC Unsolicited Telecommunications Rules"),
    ContactRule("FR", "10:00-13:00 14:00-20:00", "", "", "source", "Code de la consommation D223-9, voice", ("call",)),
    ContactRule("AU", "09:00-20:00", "09:00-17:00", "", "source", "Telemarketing industry standard, voice", ("call",)),
    ContactRule("AU", "09:00-20:00", "09:00-17:00", "", "house", "texts as calls", ("sms",)),
    ContactRule("GB", "08:00-21:00", "08:00-21:00", "09:00-20:00", "house", "no statutory hour; PECR and TPS apply"),
    ContactRule("EU", "08:00-20:00", "08:00-20:00", "", "house", "prior opt-in by ePrivacy"),
    ContactRule("IN", "10:00-21:00", "10:00-21:00", "10:00-21:00", "memory", "TRAI, promotional"),
    ContactRule("CN", "09:00-20:00", "09:00-20:00", "09:00-20:00", "house", "opt-in for commercial texts"),
    ContactRule("", "09:00-20:00", "09:00-20:00", "", "house", "where nothing better is known"),
    *(ContactRule(region, "09:00-18:00", "", "", "house", "visits at working hours", ("visit",)) for region in ("EU", "")),
)

EU: frozenset[str] = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO CH".split(),  # noqa: SIM905  (a table)
)
"""The European Union, the EEA and Switzerland, which share the default."""
CHANNELS_WITH_HOURS: frozenset[str] = frozenset(channel for rule in RULES for channel in rule.channels)


def subdivision(country: str, region: str) -> str:
    """The ISO 3166-2 code, whether `region` is given as `US-NY` or `NY`; empty where none is known (`New York` is no code)."""
    bare = region.rpartition("-")[2]
    return f"{country}-{bare}" if country and _PART.fullmatch(bare) else ""


@lru_cache(maxsize=1024)
def applicable(country: str, region: str, channel: str) -> tuple[ContactRule, ...]:
    """Every rule that must hold. In a country with rules by subdivision, an unknown subdivision gets all of them at once."""
    ours = [rule for rule in RULES if channel in rule.channels]
    national = [rule for rule in ours if rule.region == country] if country else []
    inner = [rule for rule in ours if country and rule.region.startswith(country + "-")]
    part = subdivision(country, region)
    here = [rule for rule in inner if rule.region == part] if part else inner
    general = "EU" if country in EU else ""
    return tuple((national or [rule for rule in ours if rule.region == general]) + here)


@lru_cache(maxsize=4096)
def other_countries(told: str, number: str, channel: str) -> tuple[str, ...]:
    """Countries with hours of their own for this channel from which the number may be, beside the one that was told."""
    regions = {rule.region.partition("-")[0] for rule in RULES if channel in rule.channels}
    found = (country for country in countries_of_phone(number) if country != told)
    return tuple(sorted(country for country in found if country in regions or (country in EU and "EU" in regions)))


def both(one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """What lies in both sequences of half-open ranges."""
    met = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple(sorted((start, end) for start, end in met if start < end))


def without(open_ranges: Sequence[tuple[int, int]], quiet: Sequence[tuple[str, str]]) -> tuple[tuple[int, int], ...]:
    """The ranges of a day without the quiet hours, which may run over midnight (`22:00` to `08:00`)."""
    left = tuple(open_ranges)
    for start, end in ((clock(a), clock(b)) for a, b in quiet):
        free = ((0, start), (end, DAY)) if start < end else ((end, start),)
        left = both(left, free)
    return left

"""How often the law lets us try somebody, and for how long a refusal holds: limits as data, and which of them hold for a customer.

They hold beside the house's caps and rests, which cannot widen them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Literal, get_args

from nextwave_contracts.actions import Channel, Purpose
from nextwave_contracts.customers import Consent, Snapshot
from nextwave_contracts.identifiers import area_code_of_phone, countries_of_phone

from nextwave_orchestrator.caps import Limit
from nextwave_orchestrator.hours.rules import subdivision
from nextwave_orchestrator.state import RESERVED_FOR, TRIES_KEPT
from nextwave_orchestrator.triggers.local_time import GREENWICH, instant_of, known_zone

BY_NUMBER: frozenset[str] = frozenset({"sms", "call"})
"""Channels whose address tells of a country."""
REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
EVERY_PURPOSE: tuple[Purpose, ...] = ("marketing", "service", "recovery", "care")
"""All but transactional contacts, which no limit means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """At most `most` tries per `hours` over all of `channels` in `region` (ISO 3166-1 or 3166-2), and none for whole days after a refusal.

    `consent_exempts`: who agreed to this channel and to marketing by name, and has not refused since, is not meant. `basis` as in
    `hours.rules`; `reviewed` is the day (ISO 8601) on which the entry was last held against its source.
    """

    key: str
    region: str
    channels: tuple[Channel, ...]
    applies: Literal["marketing", "all"]
    most: int
    hours: int
    days_after_refusal: int = 0
    consent_exempts: bool = False
    source: str
    basis: Literal["source", "memory", "house"]
    reviewed: str

    def __post_init__(self) -> None:
        """Raises `ValueError` for what could not be kept: nothing is sent by a table that cannot be trusted."""
        faults = (
            ("region", REGION.fullmatch(self.region) is not None, "give an ISO 3166 code such as FR or US-FL"),
            ("channels", bool(self.channels) and set(self.channels) <= set(get_args(Channel)), "name channels that there are"),
            ("most", 1 <= self.most <= TRIES_KEPT, f"give 1 to {TRIES_KEPT}: so many tries are remembered in any case"),
            ("hours", timedelta() < timedelta(hours=self.hours) <= RESERVED_FOR, f"give at most {RESERVED_FOR.days} days"),
            ("days_after_refusal", 0 <= self.days_after_refusal <= 366, "give 0 to 366"),
            ("source", bool(self.key and self.source and self.reviewed), "say where it stands, and when that was looked at"),
        )
        for field, fulfilled, fix in faults:
            if not fulfilled:
                raise ValueError(f"law {self.key}: {field} is {getattr(self, field)!r}: {fix}")

    def holds_in(self, country: str, region: str) -> bool:
        """Whether it holds there. In a country with limits by subdivision, an unknown subdivision has them all."""
        here = subdivision(country, region)
        return self.region == country or (self.region.startswith(country + "-") and here in ("", self.region))


LAWS: tuple[Law, ...] = (
    Law(
        key="FR-voice",
        region="FR",
        channels=("call",),
        applies="marketing",
        most=4,
        hours=30 * 24,
        days_after_refusal=60,
        consent_exempts=True,
        source="Code de la consommation D223-9",
        basis="source",
        reviewed="2026-11-26",
    ),
    Law(
        key="US-FL-solicitation",
        region="US-FL",
        channels=("call", "sms"),
        applies="marketing",
        most=3,
        hours=24,
        source="Florida Statutes 501.616(6)(b)",
        basis="memory",
        reviewed="2026-11-26",
    ),
    Law(
        key="US-OK-solicitation",
        region="US-OK",
        channels=("call", "sms"),
        applies="marketing",
        most=3,
        hours=24,
        source="Oklahoma Telephone Solicitation Act of 2022, 15 O.S. 775C",
        basis="source",
        reviewed="2026-11-26",
    ),
)


_FLORIDA = "239 305 321 324 352 386 407 448 561 645 656 689 727 728 754 772 786 813 850 863 904 941 954"
_OKLAHOMA = "405 539 572 580 918"
AREA_CODES: dict[str, frozenset[str]] = {"US-FL": frozenset(_FLORIDA.split()), "US-OK": frozenset(_OKLAHOMA.split())}
"""Those of the subdivisions with limits, where telephone numbers tell of one (North American Numbering Plan)."""


def limits_on(profile: Snapshot) -> tuple[Limit, ...]:
    """The limits of every place where the customer may be, without the channels for which they are exempt."""
    known = {point.address for point in profile.contact_points if point.channel in BY_NUMBER}
    laws = _laws(profile.country, profile.region, tuple(sorted(known)))
    limits = (_limit(law, profile) for law in laws)
    return tuple(limit for limit in limits if limit.channels)


@lru_cache(maxsize=4096)
def _laws(country: str, region: str, numbers: tuple[str, ...]) -> tuple[Law, ...]:
    """Where a number is from is another place where the customer may be; in the country that was told, its subdivision is."""
    told = [(country, region)] if country else []
    others = {(other, "") for number in numbers for other in countries_of_phone(number) if other != country}
    parts = {(country, part) for number in numbers if country in countries_of_phone(number) for part in _parts(country, number)}
    return tuple(law for law in LAWS if any(law.holds_in(*place) for place in (*told, *others, *parts)))


def _parts(country: str, number: str) -> list[str]:
    """The subdivision with limits that a number is from: none where it is from elsewhere, an unknown one (empty) where it does not tell."""
    code = area_code_of_phone(number)
    if country != "US" or not code:
        return [""]
    return [part for part, codes in AREA_CODES.items() if code in codes]


def _limit(law: Law, profile: Snapshot) -> Limit:
    refused = [at for channel in ("", *law.channels) if (at := profile.refused.get(channel)) is not None]
    refused_at = max(refused, default=None)
    exempt = {channel for channel in law.channels if law.consent_exempts and _agreed(profile.consents, channel, refused_at)}
    rests = refused_at is not None and law.days_after_refusal > 0
    return Limit(
        law=law.key,
        source=law.source,
        most=law.most,
        seconds=law.hours * 3600.0,
        channels=tuple(channel for channel in law.channels if channel not in exempt),
        purposes=("marketing",) if law.applies == "marketing" else EVERY_PURPOSE,
        rests_until=whole_days_after(refused_at, law.days_after_refusal, profile.zones) if rests and refused_at else None,
    )


def _agreed(consents: Iterable[Consent], channel: str, refused_at: datetime | None) -> bool:
    """Whether a consent that names this channel and marketing stands: neither a withdrawal nor a refusal came since."""
    meant = [one for one in consents if one.channel in ("", channel) and one.purpose in ("", "marketing")]
    given = max((one.at for one in meant if one.granted and one.channel and one.purpose), default=None)
    if given is None or (refused_at is not None and refused_at >= given):
        return False
    return all(one.granted or one.at < given for one in meant)


def whole_days_after(at: datetime, days: int, zones: Iterable[str]) -> datetime:
    """The first instant at which, in every one of the zones, so many whole days of the calendar are over since the day of `at`."""
    known = [zone for name in zones if (zone := known_zone(name)) is not None] or [GREENWICH]
    begins = ((at.astimezone(zone).date() + timedelta(days=days + 1), zone) for zone in known)
    return max(instant_of(datetime.combine(day, time()), zone) for day, zone in begins)

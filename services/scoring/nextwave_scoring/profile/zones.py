"""Candidate time zones: what the customer said beats where they live, which beats their phone number; several stay several."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers.timezone import time_zones_for_geographical_number
from phonenumbers.tzdata import TIMEZONE_DATA

from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.subdivisions import SUBDIVISIONS

_UNKNOWN = "Etc/Unknown"


def candidate_zones(profile: Profile) -> tuple[str, ...]:
    """IANA names, sorted; empty when nothing is known."""
    home = profile.home
    if "timezone" in home:
        return (str(home["timezone"][1]),)
    if "country" in home:
        zones = zones_of_country(str(home["country"][1]), str(home["region"][1]) if "region" in home else "")
        if zones:
            return zones
    phone = profile.points.get("call") or profile.points.get("sms")
    return zones_of_phone(phone.address) if phone and phone.address else ()


@lru_cache(maxsize=4096)
def zones_of_country(country: str, region: str = "") -> tuple[str, ...]:
    """By ISO 3166-1 alpha-2 country and, where one country has several zones and we know them, its state or province."""
    by_region = SUBDIVISIONS.get(country)
    if by_region:
        known = by_region.get(region.removeprefix(f"{country}-"))
        return known or tuple(sorted({zone for zones in by_region.values() for zone in zones}))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    if metadata is None:
        return ()
    prefix = f"{metadata.country_code}{metadata.leading_digits or ''}"
    zones = TIMEZONE_DATA.get(prefix, ()) or TIMEZONE_DATA.get(str(metadata.country_code), ())
    return tuple(sorted(zone for zone in zones if zone != _UNKNOWN))


@lru_cache(maxsize=4096)
def zones_of_phone(number: str) -> tuple[str, ...]:
    """Of an E.164 number: those of its place where its kind has one, else all of its country's (most mobile numbers, what is no number).

    A prefix alone proves nothing: all Australian mobiles begin as numbers in Sydney do.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    code = parsed.country_code or 0
    is_placed = phonenumbers.is_number_type_geographical(phonenumbers.number_type(parsed), code)
    zones = time_zones_for_geographical_number(parsed) if is_placed else TIMEZONE_DATA.get(str(code), ())
    return tuple(sorted(zone for zone in zones if zone != _UNKNOWN))


@lru_cache(maxsize=4096)
def is_zone(name: str) -> bool:
    """Whether the time zone database knows this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True

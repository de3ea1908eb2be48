"""Whether a text may come at an instant: a table of its own for the homes that the simulated people have, asked zone by zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import phonenumbers
from phonenumbers import timezone

TEXTS: dict[str, tuple[str, str, str]] = {
    "DE": ("08:00-20:00", "08:00-20:00", ""),
    "US": ("08:00-21:00", "08:00-21:00", "08:00-21:00"),
    "GB": ("08:00-21:00", "08:00-21:00", "09:00-20:00"),
    "FR": ("08:00-20:00", "08:00-20:00", ""),
    "US, who knows where": ("10:00-18:00", "10:00-17:00", ""),
    "": ("09:00-20:00", "09:00-20:00", ""),
}
"""Weekdays, Saturday and Sunday by country; nothing on a holiday, which are known where the country is."""


def may_text(home: Mapping[str, Any], phone: str, at: datetime) -> bool:
    """Whether every place where the customer may be has permitted hours at `at`."""
    zones = (home["timezone"],) if "timezone" in home else _zones(phone)
    told, elsewhere = home.get("country", ""), _country(phone)
    homes = [home] if elsewhere in ("", told) else [home, {"country": elsewhere}]
    return bool(zones) and all(_permitted(one, at.astimezone(ZoneInfo(zone))) for zone in zones for one in homes)


def _permitted(home: Mapping[str, Any], local: datetime) -> bool:
    country = home.get("country", "")
    if country and local.date() in _holidays(country, home.get("region", "").rpartition("-")[2], local.year):
        return False
    table = TEXTS["US, who knows where" if country == "US" and "region" not in home else country]
    opens, _, closes = table[max(local.weekday() - 4, 0)].partition("-")
    time = f"{local:%H:%M}"
    return bool(opens) and opens <= time < closes and not any(_within(time, *quiet) for quiet in home.get("quiet_hours", ()))


def _within(time: str, start: str, end: str) -> bool:
    return start <= time < end if start < end else time >= start or time < end


@lru_cache(maxsize=512)
def _zones(phone: str) -> tuple[str, ...]:
    return tuple(timezone.time_zones_for_number(phonenumbers.parse(phone))) if phone else ()


@lru_cache(maxsize=512)
def _country(phone: str) -> str:
    """Where a number is from, as far as its digits tell."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(phone)) or "" if phone else ""


@lru_cache(maxsize=64)
def _holidays(country: str, region: str, year: int) -> frozenset[Any]:
    subdivision = region if region in holidays.list_supported_countries()[country] else None
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))

"""Traits, contact points and home (time zone, country, region, language, quiet hours): for each the newest fact stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nextwave_contracts.identifiers import InvalidIdentifierError, identifier

from nextwave_scoring.profile import contracts, points
from nextwave_scoring.profile.merge import bounded_traits
from nextwave_scoring.profile.points import CHANNELS_OF
from nextwave_scoring.profile.record import Profile, newer
from nextwave_scoring.profile.zones import is_zone

QUIET_HOURS = "quiet_hours"
"""Trait with the local hours in which the customer wants no disturbance, `[["HH:MM", "HH:MM"], ...]`; `[]` takes them back.

The gate reads it, so it is kept with the home, where no number of newer traits can crowd it out.
"""
_ELSEWHERE = frozenset(
    {"email", "phone", "timezone", "language", "locale", "identifiers", "channel", "purpose", "country", "region", QUIET_HOURS}
)
_QUIET_MAX = 8
_TIME = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_TEXT_MAX = 120
_HOME_MAX = 64
_OBJECT_MAX = 8


def take_traits(profile: Profile, data: Mapping[str, Any], at: int) -> None:
    """Takes what a source says of the customer. Scalars, and small objects of scalars, are kept as traits."""
    _take_home(profile, data, at)
    for kind in ("email", "phone"):
        if isinstance(data.get(kind), str):
            points.named(profile, _normal(kind, data[kind]), at)
        if data.get(f"{kind}_verified") is True:
            points.verified(profile, CHANNELS_OF[kind], at)
    contracts.take_traits(profile.contracts, data, at)
    for key, value in data.items():
        kept = _bounded(value)
        if key not in _ELSEWHERE and len(key) <= _HOME_MAX and kept is not None:
            profile.traits[key] = newer(profile.traits.get(key), (at, kept))
    profile.traits = bounded_traits(profile.traits)


def _take_home(profile: Profile, data: Mapping[str, Any], at: int) -> None:
    address = data.get("address")
    place: Mapping[str, Any] = address if isinstance(address, Mapping) else data
    facts = {
        "timezone": data.get("timezone"),
        "country": _upper(place.get("country")),
        "region": _upper(place.get("state", place.get("region"))),
        "language": data.get("language", data.get("locale")),
    }
    for key, value in facts.items():
        if isinstance(value, str) and 0 < len(value) <= _HOME_MAX and (key != "timezone" or is_zone(value)):
            profile.home[key] = newer(profile.home.get(key), (at, value))
    hours = _quiet_hours(data.get(QUIET_HOURS))
    if hours is not None:
        profile.home[QUIET_HOURS] = newer(profile.home.get(QUIET_HOURS), (at, hours))


def _quiet_hours(written: object) -> list[list[str]] | None:
    """The pairs of times among what was written; None when it says nothing of hours, so that those known before stay."""
    if not isinstance(written, list):
        return None
    known = [list(pair) for pair in written if _is_span(pair)]
    return known[:_QUIET_MAX] if known or not written else None


def _is_span(pair: object) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(time, str) and _TIME.fullmatch(time) for time in pair)


def _bounded(value: object) -> object:
    """The value as it is kept: text cut, numbers that 64 bits hold, objects one level deep; None for anything else."""
    if isinstance(value, dict):
        known = {k: kept for k, v in list(value.items())[:_OBJECT_MAX] if not isinstance(v, dict) and (kept := _bounded(v)) is not None}
        return known or None
    if isinstance(value, str):
        return value[:_TEXT_MAX]
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else None
    return value if isinstance(value, float) else None


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else None


def _normal(kind: str, value: str) -> tuple[str, ...]:
    try:
        return (identifier(kind, value),)
    except InvalidIdentifierError:
        return ()

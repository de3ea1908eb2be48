"""Refusals and complaints: when each was last heard, since contact rests after them; a merge keeps the later one of both."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from nextwave_contracts.actions import Channel

from nextwave_scoring.instants import instant
from nextwave_scoring.profile.record import Profile

_CHANNELS = frozenset(get_args(Channel))


def refused(profile: Profile, channel: str, at: int) -> None:
    """The customer said no on a channel."""
    rest(profile, channel, at)
    profile.refusals += 1


def rest(profile: Profile, channel: str, at: int) -> None:
    """Contact rests on a channel; one that we do not know is read as every channel."""
    known = channel if channel in _CHANNELS else ""
    profile.refused[known] = max(profile.refused.get(known, 0), at)


def complained(profile: Profile, at: int) -> None:
    """The customer complained."""
    profile.complained_at = max(profile.complained_at, at)


def later(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    """For each key the later instant of both."""
    return {key: max(a.get(key, 0), b.get(key, 0)) for key in {**a, **b}}


def view(profile: Profile) -> dict[str, datetime]:
    """By channel, when the customer last refused."""
    return {channel: instant(at) for channel, at in sorted(profile.refused.items())}

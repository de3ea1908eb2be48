"""Moves everything that fades on to a newer day, in one place, so that all of it always stands as of the same one."""

from __future__ import annotations

from nextwave_scoring.profile import contacts, decay, hours
from nextwave_scoring.profile.record import Profile


def advance(profile: Profile, day: int) -> None:
    """The newest day seen is `day` (a day number), unless a newer one was."""
    if day > profile.landmark:
        if profile.contacts:
            contacts.advance(profile.contacts, day)
        if profile.hours:
            hours.advance(profile.hours, profile.landmark, day)
        profile.landmark = decay.advance((profile.counts, profile.kinds), profile.landmark, day)

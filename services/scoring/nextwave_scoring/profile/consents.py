"""Consents: for each channel and purpose the newest grant and the newest withdrawal; at the same instant the withdrawal wins."""

from __future__ import annotations

from typing import get_args

from nextwave_contracts.actions import Channel, Purpose
from nextwave_contracts.customers import Consent

from nextwave_scoring.instants import instant

_CHANNELS = frozenset(get_args(Channel)) | {""}
_PURPOSES = frozenset(get_args(Purpose)) | {""}
Consents = dict[str, list[int]]


def take(consents: Consents, *, channel: object, purpose: object, granted: bool, at: int) -> None:
    """Remembers a fact. A scope that we do not know is read as everything when withdrawn, and grants nothing."""
    known_channel = channel if isinstance(channel, str) and channel in _CHANNELS else None
    known_purpose = purpose if isinstance(purpose, str) and purpose in _PURPOSES else None
    if granted and (known_channel is None or known_purpose is None):
        return
    facts = consents.setdefault(f"{known_channel or ''}|{known_purpose or ''}", [0, 0])
    slot = 0 if granted else 1
    facts[slot] = max(facts[slot], at)


def merge(a: Consents, b: Consents) -> Consents:
    """The stricter of both: a withdrawal in force for one outlasts every grant that the other gave in its scope."""
    merged: Consents = {}
    for own, other in ((a, b), (b, a)):
        for key, (granted, withdrawn) in own.items():
            facts = merged.setdefault(key, [0, 0])
            facts[0] = max(facts[0], granted)
            facts[1] = max(facts[1], _outlasting(key, granted, withdrawn, other))
    return merged


def view(consents: Consents) -> tuple[Consent, ...]:
    """The newest fact for every channel and purpose, in a fixed order."""
    facts = []
    for key, (granted, withdrawn) in sorted(consents.items()):
        channel, _, purpose = key.partition("|")
        agreed = granted > withdrawn
        facts.append(Consent(channel=channel, purpose=purpose, granted=agreed, at=instant(granted if agreed else withdrawn)))
    return tuple(facts)


def _outlasting(key: str, granted: int, withdrawn: int, other: Consents) -> int:
    if granted > withdrawn:
        return withdrawn
    return max([withdrawn, *(grant for scope, (grant, _) in other.items() if _overlap(key, scope))])


def _overlap(a: str, b: str) -> bool:
    return all(x == y or not x or not y for x, y in zip(a.split("|"), b.split("|"), strict=True))

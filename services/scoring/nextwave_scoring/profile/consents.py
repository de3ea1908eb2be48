"""Consents: for each channel and purpose the newest grant and the newest withdrawal; at the same instant the withdrawal wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from nextwave_contracts.actions import Channel, Purpose
from nextwave_contracts.customers import Consent

from nextwave_scoring.instants import instant
from nextwave_scoring.profile.joins import Since

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
    """The newest of both, said by one name."""
    return {key: [max(facts) for facts in zip(a.get(key, (0, 0)), b.get(key, (0, 0)), strict=True)] for key in {**a, **b}}


def standing(spoken: Mapping[str, Consents], since: Since) -> Consents:
    """What stands by what each name said: a withdrawal by one outlasts the grants of those who were not known to be one with it by then."""
    facts: Consents = {}
    for name, said in spoken.items():
        for scope, (granted, withdrawn) in said.items():
            kept = facts.setdefault(scope, [0, 0])
            kept[0] = max(kept[0], granted)
            kept[1] = max(kept[1], _outlasting(spoken, since, name, scope, withdrawn))
    return facts


def view(consents: Consents) -> tuple[Consent, ...]:
    """The newest fact for every channel and purpose, in a fixed order."""
    if not consents:
        return ()
    facts = []
    for key, (granted, withdrawn) in sorted(consents.items()):
        channel, _, purpose = key.partition("|")
        agreed = granted > withdrawn
        facts.append(Consent(channel=channel, purpose=purpose, granted=agreed, at=instant(granted if agreed else withdrawn)))
    return tuple(facts)


def _outlasting(spoken: Mapping[str, Consents], since: Since, name: str, scope: str, withdrawn: int) -> int:
    """Until when a withdrawal counts: its own instant once it was lifted, else that of the last grant that cannot lift it."""
    if not withdrawn:
        return 0
    later = [(other, wide, at) for other, said in spoken.items() for wide, (at, _) in said.items() if at > withdrawn]
    if any(since(name, other) <= at and _covers(wide, scope) for other, wide, at in later):
        return withdrawn
    return max([withdrawn, *(at for other, wide, at in later if since(name, other) > at and _overlap(wide, scope))])


def _covers(wide: str, scope: str) -> bool:
    return all(x in {y, ""} for x, y in zip(wide.split("|"), scope.split("|"), strict=True))


def _overlap(a: str, b: str) -> bool:
    return all(x == y or not x or not y for x, y in zip(a.split("|"), b.split("|"), strict=True))

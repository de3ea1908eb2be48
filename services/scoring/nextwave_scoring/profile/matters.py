"""Complaints and service requests: which are open, by reference. A closing may arrive before its opening."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from nextwave_contracts.customers import HeldBy
from nextwave_contracts.holds import COMPLAINT_HOLDS_FOR

from nextwave_scoring.instants import instant
from nextwave_scoring.profile.joins import Since
from nextwave_scoring.profile.record import MATTERS_MAX, Matter

COMPLAINT = "c:"
SERVICE = "s:"
_ALL = "*"
"""Reference under which a closing without a reference is kept: it closes everything of its kind opened up to then."""
Matters = dict[str, Matter]


def opened(matters: Matters, kind: str, reference: str, at: int) -> None:
    """A matter was opened (again)."""
    matter = matters.setdefault(kind + reference[:64], Matter())
    matter.opened_at = max(matter.opened_at, at)
    _bound(matters)


def closed(matters: Matters, kind: str, reference: str, at: int) -> None:
    """A matter was closed; without a reference, everything of its kind that was opened up to then."""
    matter = matters.setdefault(kind + (reference[:64] or _ALL), Matter())
    matter.closed_at = max(matter.closed_at, at)
    _bound(matters)


def open_of(matters: Matters, kind: str) -> list[tuple[str, Matter]]:
    """The open matters of a kind, by reference."""
    if not matters:
        return []
    return sorted((key.removeprefix(kind), m) for key, m in matters.items() if key.startswith(kind) and _is_open(matters, key, m))


def count_open(matters: Matters, kind: str) -> int:
    """How many matters of a kind are open."""
    if not matters:
        return 0
    everything = matters.get(kind + _ALL)
    closed_at = everything.closed_at if everything else 0
    return sum([m.opened_at > m.closed_at and m.opened_at > closed_at and key.startswith(kind) for key, m in matters.items()])


def holds(matters: Matters) -> tuple[HeldBy, ...]:
    """One per open complaint, each until it lapses."""
    return tuple([_hold(reference, instant(matter.opened_at)) for reference, matter in open_of(matters, COMPLAINT)])


def _hold(reference: str, since: datetime) -> HeldBy:
    return HeldBy(kind="complaint", since=since, until=since + COMPLAINT_HOLDS_FOR, reference=reference)


def merge(a: Matters, b: Matters) -> Matters:
    """The newest of both, said by one name."""
    merged = {key: _newest(a.get(key, Matter()), b.get(key, Matter())) for key in {**a, **b}}
    _bound(merged)
    return merged


def standing(spoken: Mapping[str, Matters], since: Since) -> Matters:
    """What stands by what each name said: a matter opened by one is closed by those who were known to be one with it by then."""
    if len(spoken) == 1:
        return next(iter(spoken.values()))
    keys = sorted({key for said in spoken.values() for key in said if key[2:] != _ALL})
    facts = {key: _standing(spoken, since, key) for key in keys}
    _bound(facts)
    return facts


def _is_open(matters: Matters, key: str, matter: Matter) -> bool:
    everything = matters.get(key[:2] + _ALL)
    return matter.opened_at > max(matter.closed_at, everything.closed_at if everything else 0)


def _standing(spoken: Mapping[str, Matters], since: Since, key: str) -> Matter:
    everything = key[:2] + _ALL
    closings = [(name, said[k].closed_at) for name, said in spoken.items() for k in (key, everything) if k in said]
    openings = [(name, said[key].opened_at) for name, said in spoken.items() if key in said and said[key].opened_at]
    pending = [at for name, at in openings if not any(c >= at and since(name, other) <= c for other, c in closings)]
    if pending:
        return Matter(max(pending), 0)
    return Matter(max((at for _, at in openings), default=0), max(at for _, at in closings))


def _newest(a: Matter, b: Matter) -> Matter:
    return Matter(max(a.opened_at, b.opened_at), max(a.closed_at, b.closed_at))


def _bound(matters: Matters) -> None:
    """Forgets the longest closed ones beyond the limit; open ones are kept."""
    if len(matters) <= MATTERS_MAX:
        return
    done = sorted((m.closed_at, key) for key, m in matters.items() if m.closed_at >= m.opened_at and key[2:] != _ALL)
    for _, key in done[: len(matters) - MATTERS_MAX]:
        del matters[key]

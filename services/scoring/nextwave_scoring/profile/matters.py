"""Complaints and service requests: which are open, by reference. A closing may arrive before its opening."""

from __future__ import annotations

from nextwave_contracts.customers import HeldBy

from nextwave_scoring.instants import instant
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


def holds(matters: Matters) -> tuple[HeldBy, ...]:
    """The holds in force: one per open complaint."""
    return tuple(HeldBy(kind="complaint", since=instant(m.opened_at), reference=ref) for ref, m in open_of(matters, COMPLAINT))


def merge(a: Matters, b: Matters) -> Matters:
    """The matters of both; one that is open for either stays open until it is closed again."""
    merged: Matters = {}
    for key, matter in (*_settled(a), *_settled(b)):
        present = merged.get(key)
        merged[key] = matter if present is None else _merged(present, matter)
    _bound(merged)
    return merged


def _is_open(matters: Matters, key: str, matter: Matter) -> bool:
    everything = matters.get(key[:2] + _ALL)
    return matter.opened_at > max(matter.closed_at, everything.closed_at if everything else 0)


def _settled(matters: Matters) -> list[tuple[str, Matter]]:
    """Each matter with its customer's closings of everything written into it, since those say nothing of another's matters."""
    settled = []
    for key, matter in matters.items():
        everything = matters.get(key[:2] + _ALL, Matter())
        if key[2:] != _ALL:
            settled.append((key, Matter(matter.opened_at, max(matter.closed_at, everything.closed_at))))
    return settled


def _merged(a: Matter, b: Matter) -> Matter:
    pending = [m for m in (a, b) if m.opened_at > m.closed_at] or [a, b]
    return Matter(max(a.opened_at, b.opened_at), max(m.closed_at for m in pending))


def _bound(matters: Matters) -> None:
    """Forgets the longest closed ones beyond the limit; open ones are kept."""
    if len(matters) <= MATTERS_MAX:
        return
    done = sorted((m.closed_at, key) for key, m in matters.items() if m.closed_at >= m.opened_at and key[2:] != _ALL)
    for _, key in done[: len(matters) - MATTERS_MAX]:
        del matters[key]

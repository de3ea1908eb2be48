"""Names that several customers share: a family's phone, a shop's till, an info@ address. Each is somebody of its own, who is nobody.

What is named by a shared name alone is credited to that name, never to one of those who share it; what it stops, stops for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from nextwave_contracts.identifiers import kind_of
from nextwave_contracts.touchpoints import Touchpoint

from nextwave_scoring.identity import derive_once
from nextwave_scoring.instants import micros
from nextwave_scoring.profile import bounds, speaking, words
from nextwave_scoring.profile.merge import bounded_names
from nextwave_scoring.profile.points import CHANNELS_OF
from nextwave_scoring.profile.record import NAMES_MAX, SHARERS_MAX, Profile, Words
from nextwave_scoring.unit import Unit


def is_shared(unit: Unit, root: str | None) -> bool:
    """Whether what a name leads to is only a name that several customers have."""
    return root is not None and bool(unit.customers[root].profile.sharers)


def sharers(unit: Unit, holder: str) -> set[str]:
    """Those who share a name now, by their holder: two who turned out to be one are one."""
    return {root for sharer in unit.customers[holder].profile.sharers if (root := unit.root(sharer))}


def begin(unit: Unit, name: str, newcomer: str, touchpoint: Touchpoint) -> None:
    """A customer's name was given with another customer's: from now on it is both's, and neither's alone.

    Whoever it is then is somebody new each time: an earlier holder of the name became part of the one whose it was since.
    """
    owner, at = unit.root_of_name(name), micros(touchpoint.received_at)
    if owner is None:
        return
    said = unit.customers[owner].profile.words.get(name, Words())
    holder = derive_once(f"shared:{name}", touchpoint)
    made = unit.customer(holder)
    made.profile.names = [name]
    made.profile.first_at = made.profile.first_at or at
    made.profile.sharers[owner] = at
    words.adopt(made.profile, said, name, at)
    _mark(unit.customers[owner].profile, name, at)
    unit.bind(name, holder)
    unit.changed |= {owner, holder}
    join(unit, name, newcomer, at)


def join(unit: Unit, name: str, newcomer: str, at: int) -> None:
    """One more customer is named by a shared name; what was stopped through it is stopped for them as well."""
    holder = unit.root_of_name(name)
    if holder is None or newcomer in sharers(unit, holder):
        return
    shared, profile = unit.customers[holder].profile, unit.customers[newcomer].profile
    shared.sharers[newcomer] = at
    shared.sharers = bounds.newest(shared.sharers, SHARERS_MAX)
    profile.names = bounded_names([*profile.names, name])
    _mark(profile, name, at)
    words.adopt(profile, Words(shared.consents, shared.matters, shared.soothed_at, shared.soured_at), name, at)
    unit.changed |= {holder, newcomer}


def settled(unit: Unit, name: str) -> str | None:
    """The one customer of a shared name whose sharers turned out to be one; None while they are several."""
    holder = unit.root_of_name(name)
    found = sharers(unit, holder) if holder else set()
    return found.pop() if len(found) == 1 else None


def hear(unit: Unit, touchpoint: Touchpoint, names: Sequence[str], meant: str) -> list[str]:
    """Tells everybody who shares these names what the touchpoint stops; gives those whom it stopped anything for.

    By a shared name alone everybody may have said it. With a name of their own somebody said it of themselves, and what binds the others
    is only that the address is theirs too.
    """
    stopped: set[str] = set()
    for name in names:
        holder = unit.root_of_name(name)
        channels = None if len(names) == len(touchpoint.identifiers) else frozenset(CHANNELS_OF.get(kind_of(name), ()))
        others = {holder, *sharers(unit, holder)} - {meant} if holder else set()
        for other in sorted(o for o in others if o):
            if speaking.hear_stop(unit.customers[other].profile, touchpoint, channels=channels):
                stopped.add(other)
    unit.changed |= stopped
    return sorted(stopped)


def _mark(profile: Profile, name: str, at: int) -> None:
    profile.shared[name] = at
    profile.shared = bounds.newest(profile.shared, NAMES_MAX)

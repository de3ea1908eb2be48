"""Since when two names of a customer are known to be one's: the first instant at which a chain of touchpoints that name both was received.

Kept as the spanning forest with the earliest joins (Kruskal), which is the same whatever the order of reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product

from nextwave_scoring.profile.record import Join, Profile

NEVER = 2**63
Since = Callable[[str, str], int]
"""Microseconds since which two names are one's; 0 for a name and itself, `NEVER` when nothing joins them."""


def take(profile: Profile, names: Sequence[str], at: int) -> bool:
    """Somebody was named by all of these at once; says whether that is news."""
    if all(_is_known(profile.joins, names[0], name, at) for name in names[1:]):
        return False
    told = earliest([*profile.joins, *(Join(at, names[0], name) for name in names[1:])])
    if told == profile.joins:
        return False
    known = since(profile.joins)
    profile.joins = told  # also where nothing is news: of joins at one instant, the same ones are kept whichever was read first
    return any(known(names[0], name) > at for name in names[1:])


def _is_known(joins: Sequence[Join], one: str, other: str, at: int) -> bool:
    """Whether this very join is among them, which is what is mostly asked; a plain loop, for speed."""
    for join in joins:  # noqa: SIM110
        if join.other == other and join.one == one and join.at <= at:
            return True
    return False


def earliest(joins: Iterable[Join]) -> list[Join]:
    """The joins that tell all that these tell, oldest first."""
    return [join for join, _, _ in _growing(joins)]


def since(joins: Iterable[Join]) -> Since:
    """Reads joins."""
    instants: dict[tuple[str, str], int] = {}
    for join, one, other in _growing(joins):
        instants.update(dict.fromkeys((*product(one, other), *product(other, one)), join.at))
    return lambda a, b: 0 if a == b else instants.get((a, b), NEVER)


def _growing(joins: Iterable[Join]) -> Iterable[tuple[Join, set[str], set[str]]]:
    """Each join that brings two groups of names together, with both as they were."""
    groups: dict[str, set[str]] = {}
    for join in sorted(set(joins)):
        one, other = groups.get(join.one, {join.one}), groups.get(join.other, {join.other})
        if one is not other and join.one != join.other:
            yield join, one, other
            groups.update(dict.fromkeys(one | other, one | other))

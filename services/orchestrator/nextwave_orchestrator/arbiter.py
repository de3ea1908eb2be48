"""Who wins where several campaigns want the same customer and the caps have not room for all: by one published formula, losers kept.

`score = P(response) x value of the goal x context weight x lever - cost`, all parts stored (product.md section 6).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace
from nextwave_contracts.actions import UNHELD_PURPOSES
from nextwave_contracts.decisions import Rival

from nextwave_orchestrator.candidate import GateInput, Offer
from nextwave_orchestrator.caps import CapRule, Limit, has_room, instants, room_at

Place = tuple[CapRule | Limit, list[datetime]]
"""A cap or a limit by law, and when the contacts are that use it up."""
Rank = tuple[bool, float, int, str, str]


def score(given: GateInput, offer: Offer) -> float:
    """What contacting by this offer is worth, minor units."""
    return offer.response_rate * given.goal_value * offer.weight * given.lever - offer.full_cost


def claim(given: GateInput, offer: Offer) -> Rival:
    """The place that a candidate wants by this offer, with the parts of its score, as its rivals see it."""
    return Rival(
        run_id=given.run_id,
        campaign=given.campaign,
        wave=given.wave,
        channel=offer.channel,
        purpose=given.purpose,
        at=given.now,
        priority=given.priority,
        response=offer.response_rate,
        value=given.goal_value,
        weight=offer.weight,
        lever=given.lever,
        cost=offer.full_cost,
        score=score(given, offer),
    )


def rank(one: Rival) -> Rank:
    """Lower goes first: what is owed to the customer, then the higher score, then the campaign's priority, its key, and the run."""
    return one.purpose not in UNHELD_PURPOSES, -one.score, one.priority, one.campaign, one.run_id


@dataclass(frozen=True, slots=True)
class Ranked:
    """The rivals that go before a candidate and take a place, and when the caps have room for it after them; its own instant: now."""

    ahead: tuple[Rival, ...]
    until: datetime


def ranked(given: GateInput, offer: Offer) -> Ranked:
    """Those that rank before this candidate, and for which the caps have room, take their places, one after the other."""
    own, ahead = claim(given, offer), list[Rival]()
    places = [(rule, instants(rule, given.reservations, given.now)) for rule in given.rules]
    for rival in sorted((one for one in given.rivals if rank(one) < rank(own)), key=rank):
        wanted = _wanted(places, rival)
        if all(has_room(rule, taken, rival.at) for rule, taken in wanted):
            ahead.append(rival)
            for _, taken in wanted:
                insort(taken, rival.at)
    return Ranked(tuple(ahead), room_at(_wanted(places, own), own.at))


def standings(given: GateInput, offer: Offer) -> tuple[Rival, ...]:
    """All rivals, those worth most first, and which of them are ahead."""
    if not given.rivals:
        return ()
    ahead = {rival.run_id for rival in ranked(given, offer).ahead}
    return tuple(replace(rival, ahead=rival.run_id in ahead) for rival in sorted(given.rivals, key=rank))


def uses_up(given: GateInput, one: Rival) -> list[CapRule | Limit]:
    """The caps and limits in which it takes a place."""
    return [rule for rule in given.rules if rule.covers(one.channel, one.campaign, one.purpose)]


def _wanted(places: Iterable[Place], one: Rival) -> list[Place]:
    return [place for place in places if place[0].covers(one.channel, one.campaign, one.purpose)]

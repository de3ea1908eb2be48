"""Who wins where several campaigns want the same customer and the caps have not room for all: by one published formula, losers kept.

`score = P(response) x value of the goal x context weight x lever - cost`, all parts stored (product.md section 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace
from nextwave_contracts.actions import UNHELD_PURPOSES
from nextwave_contracts.decisions import Rival

from nextwave_orchestrator.candidate import GateInput, Offer
from nextwave_orchestrator.caps import CapRule, room_at
from nextwave_orchestrator.state import Reservation

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


def ahead_of(given: GateInput, offer: Offer) -> list[Rival]:
    """The rivals that rank before this candidate and for which the caps have room: one after the other each takes its place."""
    own = rank(claim(given, offer))
    placed: list[Rival] = []
    for rival in sorted(given.rivals, key=rank):
        if rank(rival) < own and _place(given, rival, placed) == rival.at:
            placed.append(rival)
    return placed


def outranked_until(given: GateInput, offer: Offer) -> datetime:
    """When the caps have room again after those that go before this candidate; its own instant where they have it now."""
    return _place(given, claim(given, offer), ahead_of(given, offer))


def standings(given: GateInput, offer: Offer) -> tuple[Rival, ...]:
    """All rivals, those worth most first, and which of them are ahead."""
    if not given.rivals:
        return ()
    ahead = {rival.run_id for rival in ahead_of(given, offer)}
    return tuple(replace(rival, ahead=rival.run_id in ahead) for rival in sorted(given.rivals, key=rank))


def uses_up(caps: Iterable[CapRule], one: Rival) -> list[CapRule]:
    """The caps in which it takes a place."""
    return [rule for rule in caps if rule.covers(one.channel, one.campaign, one.purpose)]


def _place(given: GateInput, one: Rival, placed: Sequence[Rival]) -> datetime:
    """The first instant from its own on at which every cap has room beside the contacts that count and those already placed."""
    taken = (Reservation(other.run_id, other.campaign, other.channel, other.purpose, other.at) for other in placed)
    return room_at(uses_up(given.caps, one), (*given.reservations, *taken), one.at)

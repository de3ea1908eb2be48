"""The numbers of a report counted anew from the raw messages, slowly and by their definitions alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from nextwave_contracts.actions import Contact
from nextwave_contracts.decisions import Decision, DecisionMessage, GoalReached, RunStarted, WaveClosed
from unit.orchestrator.reports.lives import POLICY, RULES, Life

Place = dict[str, Any]
Where = Callable[[Place], bool]
NEVER_LEFT = {"failed", "expired", "withdrawn", "unknown"}


def place(one: Any, at: datetime) -> Place:
    """Where a message belongs."""
    definition = RULES.campaigns[one.campaign, one.version].definition
    named = {name: getattr(one, name, "") for name in ("campaign", "version", "wave", "segment", "channel")}
    return named | {"department": definition.owner, "strategy": definition.strategy, "day": at.date().isoformat()}


def count(lives: list[Life], where: Where) -> dict[str, int]:
    """The whole numbers of a group."""
    said = [message for life in lives for message in life.house.said]
    here = [message for message in said if isinstance(message, DecisionMessage) and where(place(message, message.at))]
    decisions = [m for m in here if isinstance(m, Decision)]
    closed = [m for m in here if isinstance(m, WaveClosed)]
    goals = [m for m in here if isinstance(m, GoalReached) and not m.held_by]
    started = [m for m in here if isinstance(m, RunStarted)]
    costs = [contact.cost for life in lives for contact, at in taken(life) if where(place(contact, at))]
    shares = [(to, part) for life in lives for to, part in benefits(life) if where(to)]
    ended = {reach: sum(m.reach == reach for m in closed) for reach in ("reached", "missed", "refused", "failed")}
    results = {f"{result}s": sum(d.result == result for d in decisions) for result in ("act", "defer", "withhold")}
    benefit = sum(part for to, part in shares if "nobody" not in to)
    return {
        "entered": sum(not m.holdout for m in started),
        "held_out": sum(m.holdout for m in started),
        "candidates": len(decisions),
        **results,
        "contacts": len(costs),
        "direct_cost": sum(costs),
        "indirect_cost": sum(round(cost * POLICY.loading_share) for cost in costs),
        **ended,
        "responses": sum(m.responded and m.reach in {"reached", "missed", "refused"} for m in closed),
        "goals": len(goals),
        "goal_value": sum(goal.value for goal in goals),
        "benefit": benefit,
        "untouched_benefit": sum(part for to, part in shares if "nobody" in to),
        "profit": benefit - sum(costs) - sum(round(cost * POLICY.loading_share) for cost in costs),
    }


def taken(life: Life) -> Iterator[tuple[Contact, datetime]]:
    """Each contact with the instant at which a provider was first known to have it."""
    for contact in life.contacts:
        first = next((o for o in life.outcomes if o.action_id == contact.action_id and o.kind not in NEVER_LEFT), None)
        if first is not None:
            yield contact, first.at


def benefits(life: Life) -> Iterator[tuple[Place, int]]:
    """Every part of what the customer's goal events are worth."""
    goals = [m for m in life.house.said if isinstance(m, GoalReached) and not m.held_by]
    for at in sorted({goal.at for goal in goals}):
        best = min((g for g in goals if g.at == at), key=lambda g: (-g.value, g.campaign, g.run_id))
        before = [(place(contact, at), time) for contact, time in taken(life) if time <= at < time + timedelta(days=5)]
        if before:
            yield from cent_by_cent(best.value, [to for to, _ in before])
        else:
            yield place(best, at) | {"nobody": True}, best.value


def cent_by_cent(value: int, touches: list[Place]) -> list[tuple[Place, int]]:
    """Each unit goes to whoever is furthest from their due, the first by name of equals."""
    names = [tuple(to[name] for name in ("campaign", "version", "wave", "segment", "channel")) for to in touches]
    groups = sorted(set(names))
    got = dict.fromkeys(groups, 0)
    for _ in range(value):
        got[max(groups, key=lambda g: (Fraction(value * names.count(g), len(names)) - got[g], [-groups.index(g)]))] += 1
    return [(next(to for to, name in zip(touches, names, strict=True) if name == g), part) for g, part in got.items()]

"""Where the relationship stands, what speaks for its decline, and, once it has ended, by which pattern it did.

The stage that was reached is told from what the customer did alone; what speaks for decline is laid over it. So the stage in which a
relationship ended is known afterwards too, in whatever order the history was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta
from nextwave_contracts.customers import Band, DeclineSign, Pattern, Stage

from nextwave_scoring.instants import DAY
from nextwave_scoring.profile import matters
from nextwave_scoring.profile.days import Days
from nextwave_scoring.profile.record import Matter
from nextwave_scoring.terms import Contract, all_over_at, end_of, is_ending, lasted, over_at


class Related(Protocol):
    """The part of a profile that is read here; instants in microseconds."""

    first_order_at: int
    last_order_at: int
    visits: Days
    purchases: Days
    matters: dict[str, Matter]
    soothed_at: int
    soured_at: int

    @property
    def contracts(self) -> Mapping[str, Contract]: ...


Times = Annotated[int, Meta(ge=1, le=1_000)]
Span = Annotated[int, Meta(ge=1, le=36_500)]
"""Days."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Where one stage goes over into the next; what fits depends on the trade."""

    formed_orders: Times = 2
    """From so many days with an order on there is more than a try."""
    formed_visits: Times = 3
    """From so many active days on (or orders, or with a contract) there is a relationship that can decline."""
    stable_orders: Annotated[int, Meta(ge=2, le=1_000)] = 5
    """From so many days with an order on, if they are regular, the relationship is stable. One has no interval that could be regular."""
    stable_contract_days: Span = 365
    """A contract that lasted this long, or was renewed, is as good."""
    step_days: Annotated[int, Meta(ge=1, le=365)] = 45
    """Growth and fall compare the newest span of this length, up to the last order, with the one before."""
    step_orders: Times = 4
    """Fewer days with an order in the busier of both spans say nothing."""
    complaints: Times = 2
    """So many open complaints are a decline at any risk."""
    ending_days: Annotated[int, Meta(ge=0, le=3_650)] = 30
    """A contract that ends within this time, not renewed, is ending."""
    long_days: Span = 730
    """From its first order or contract to its last, a relationship of this length was long."""


DEFAULT = Lifecycle()


class Course(msgspec.Struct, frozen=True):
    """The course of one relationship up to an instant."""

    stage: Stage
    reached: Stage
    """The stage without what speaks for decline; never `decline`."""
    signs: tuple[DeclineSign, ...]
    """What speaks for decline. A stranger may show signs, but has nothing that could decline."""
    tenure_days: int
    """From the first order or contract to the last order, the end of the last contract, or now while a contract runs."""
    pattern: Pattern | None
    """None while the relationship goes on."""


def course(profile: Related, margin: int, band: Band, at: int, lifecycle: Lifecycle = DEFAULT) -> Course:
    """The course at `at` (microseconds) of a customer in `band` who has brought in `margin` (minor units) so far."""
    reached = reached_stage(profile, margin, at, lifecycle)
    signs = decline_signs(profile, band, at, lifecycle)
    days, contracts = tenure_days(profile, at), profile.contracts
    ended = band == "lost" or (bool(contracts) and all_over_at(contracts.values(), at) > profile.last_order_at)
    return Course(
        stage="decline" if signs and _is_formed(profile, lifecycle) else reached,
        reached=reached,
        signs=signs,
        tenure_days=days,
        pattern=pattern_of(reached, days, lifecycle) if ended else None,
    )


def reached_stage(profile: Related, margin: int, at: int, lifecycle: Lifecycle) -> Stage:
    """Exploration (few orders, nothing earned), formation (more, growing or irregular), stability (many and regular, or long contract)."""
    contracts, orders = profile.contracts, profile.purchases.count
    if contracts and any(c.renewed_at or lasted(c, at) >= lifecycle.stable_contract_days * DAY for c in contracts.values()):
        return "stability"
    if not contracts and (orders < lifecycle.formed_orders or margin <= 0):
        return "exploration"
    many = orders >= lifecycle.stable_orders and margin > 0
    return "stability" if many and _is_regular(profile.purchases) and not _grows(profile.purchases, lifecycle) else "formation"


def decline_signs(profile: Related, band: Band, at: int, lifecycle: Lifecycle) -> tuple[DeclineSign, ...]:
    """What speaks for decline at `at`, in the order of `DeclineSign`."""
    found: list[DeclineSign] = []
    if band in {"high", "lost"}:
        found.append("leaving")
    if _falls(profile.purchases, lifecycle):
        found.append("falling")
    if _is_dissatisfied(profile, band, lifecycle):
        found.append("dissatisfied")
    if profile.contracts and all(is_ending(c, at, lifecycle.ending_days) for c in profile.contracts.values()):
        found.append("ending")
    return tuple(found)


def pattern_of(reached: Stage, days: int, lifecycle: Lifecycle) -> Pattern:
    """The pattern of a relationship that ended after `days` of tenure in the stage `reached`."""
    if reached == "exploration":
        return "early_abort"
    if reached == "formation":
        return "midway_death"
    return "long_retention" if days >= lifecycle.long_days else "early_exit"


def tenure_days(profile: Related, at: int) -> int:
    """Whole days from the first order or contract to the last order, the end of the last contract, or `at` while one runs."""
    if not profile.contracts:
        return (profile.last_order_at - profile.first_order_at) // DAY
    contracts = profile.contracts.values()
    starts = [start for start in (profile.first_order_at, *(c.started_at for c in contracts)) if start]
    ends = [profile.last_order_at, *(min(over_at(c) or at, at) for c in contracts)]
    return max(max(ends) - min(starts), 0) // DAY if starts else 0


def next_turn(profile: Related, at: int, lifecycle: Lifecycle = DEFAULT) -> int | None:
    """The first instant after `at` at which time alone may change the course within a band; None when there is none."""
    if not profile.contracts:
        return None
    turns = [
        turn
        for c in profile.contracts.values()
        for turn in (
            end_of(c) - lifecycle.ending_days * DAY,
            over_at(c),
            c.started_at + lifecycle.stable_contract_days * DAY if c.started_at else 0,
        )
        if turn > at
    ]
    return min(turns, default=None)


def _is_formed(profile: Related, lifecycle: Lifecycle) -> bool:
    known = bool(profile.contracts) or profile.purchases.count >= lifecycle.formed_orders
    return known or profile.visits.count >= lifecycle.formed_visits


def _is_dissatisfied(profile: Related, band: Band, lifecycle: Lifecycle) -> bool:
    """Several complaints are open; or the risk is raised and one is, or one was closed without satisfaction, or service is awaited."""
    complaints = matters.count_open(profile.matters, matters.COMPLAINT)
    if band == "low":
        return complaints >= lifecycle.complaints
    soured = bool(profile.soured_at) and profile.soured_at >= profile.soothed_at
    return complaints > 0 or soured or matters.count_open(profile.matters, matters.SERVICE) > 0


def _falls(purchases: Days, lifecycle: Lifecycle) -> bool:
    """Less than half as many as before."""
    before = purchases.within(lifecycle.step_days, lifecycle.step_days)
    return before >= lifecycle.step_orders and purchases.within(0, lifecycle.step_days) * 2 < before


def _grows(purchases: Days, lifecycle: Lifecycle) -> bool:
    """More than twice as many as before."""
    newest = purchases.within(0, lifecycle.step_days)
    return newest >= lifecycle.step_orders and newest > purchases.within(lifecycle.step_days, lifecycle.step_days) * 2


def _is_regular(purchases: Days) -> bool:
    """Intervals spread by no more than their mean (as random ones do)."""
    gaps = purchases.gaps()
    mean = sum(gaps) / len(gaps)
    return sum([(gap - mean) ** 2 for gap in gaps]) <= len(gaps) * mean * mean

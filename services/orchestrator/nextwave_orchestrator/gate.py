"""The gate: may this contact be made, on which channel, and if not, why. One pure function over one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace
from nextwave_contracts.decisions import Attempt, Check
from nextwave_contracts.reasons import GateCode

from nextwave_orchestrator.arbiter import score
from nextwave_orchestrator.candidate import GateInput, Offer
from nextwave_orchestrator.caps import CapRule, Limit, used
from nextwave_orchestrator.checks import CHECKS, Fault, expected_margin, rests

NEXT_CHANNEL: frozenset[GateCode] = frozenset({"no_consent", "suppressed", "no_address", "not_worth_it"})
"""Codes after which the next channel of the mix is tried."""
STOPS: frozenset[GateCode] = frozenset({"no_consent", "complaint_open", "hold", "unsatisfied"})
"""Codes that also take back what is queued: the customer does not want it, or must not be sold to."""
_PASSED: dict[GateCode, Check] = {code: Check(code=code, passed=True) for code, _ in CHECKS}


@dataclass(frozen=True, slots=True)
class Act:
    """Contact by this offer of the mix (its index)."""

    offer: int


@dataclass(frozen=True, slots=True)
class Defer:
    """Not now: ask again at `until`, which lies before the latest time."""

    until: datetime
    reason: GateCode


@dataclass(frozen=True, slots=True)
class Withhold:
    """Not at all."""

    reason: GateCode


Ruling = Act | Defer | Withhold


@dataclass(frozen=True, slots=True)
class Judgement:
    """The ruling, the offer (its index) that decided it, every channel that was tried and every number that was compared."""

    ruling: Ruling
    offer: int
    attempts: tuple[Attempt, ...]
    numbers: dict[str, float]


def decide(given: GateInput) -> Judgement:
    """The answer, over the channels of the mix as it picks them.

    Where none is permitted the contact is deferred to an exact instant when one comes before the latest time, and withheld when not.
    """
    return _best(given) if given.pick == "best" else _first_permitted(given)


def _first_permitted(given: GateInput) -> Judgement:
    """The first channel that passes every check acts; the reason is the first channel's where none does.

    A fault that is not the channel's own ends the search.
    """
    attempts: list[Attempt] = []
    for index, offer in enumerate(given.offers):
        attempt, fault = _attempt(given, offer)
        attempts.append(attempt)
        if fault is None:
            return Judgement(Act(index), index, tuple(attempts), _numbers(given, offer))
        if attempt.code not in NEXT_CHANNEL and not fault.of_channel:
            return Judgement(_ruling(given, attempt, fault), index, tuple(attempts), _numbers(given, offer))
    return Judgement(Withhold(attempts[0].code), 0, tuple(attempts), _numbers(given, given.offers[0]))


def _best(given: GateInput) -> Judgement:
    """Of the channels that pass every check by themselves the one with the highest score; then it is ranked against other candidates.

    Where none passes, the one that is permitted soonest is waited for. Equals go in the mix's order.
    """
    tried = [_attempt(replace(given, rivals=()), offer) for offer in given.offers]
    permitted = [n for n, (_, fault) in enumerate(tried) if fault is None]
    if permitted:
        best = max(permitted, key=lambda n: (score(given, given.offers[n]), -n))
        tried[best] = _attempt(given, given.offers[best])
    else:
        waits = [(ruling.until, n) for n, ruling in enumerate(_ruling(given, *one) for one in tried) if isinstance(ruling, Defer)]
        _, best = min(waits, default=(given.now, 0))
    attempt, fault = tried[best]
    ruling = Act(best) if fault is None else _ruling(given, attempt, fault)
    return Judgement(ruling, best, tuple(attempt for attempt, _ in tried), _numbers(given, given.offers[best]))


def stopped(given: GateInput) -> GateCode | None:
    """What now stops a contact that was decided before, on the input's only channel."""
    offer = given.offers[0]
    stop = next((code for code, check in CHECKS if code in STOPS and check(given, offer) is not None), None)
    return stop or ("cap" if rests(given, offer) else None)


def _attempt(given: GateInput, offer: Offer) -> tuple[Attempt, Fault | None]:
    checks: list[Check] = []
    for code, check in CHECKS:
        fault = check(given, offer)
        if fault is not None:
            checks.append(Check(code=code, passed=False, detail=fault.detail))
            return Attempt(channel=offer.channel, code=code, checks=tuple(checks), score=score(given, offer)), fault
        checks.append(_PASSED[code])
    return Attempt(channel=offer.channel, code="permitted", checks=tuple(checks), score=score(given, offer)), None


def _ruling(given: GateInput, attempt: Attempt, fault: Fault | None) -> Ruling:
    """Of a channel that is not permitted."""
    if fault is not None and fault.until is not None and given.now < fault.until < given.not_after:
        return Defer(fault.until, attempt.code)
    return Withhold(attempt.code)


def _numbers(given: GateInput, offer: Offer) -> dict[str, float]:
    numbers = {
        "risk": given.risk,
        "goal_value": float(given.goal_value),
        "lever": given.lever,
        "context_weight": offer.weight,
        "cost": float(offer.cost),
        "full_cost": float(offer.full_cost),
        "response_rate": offer.response_rate,
        "learned_low": offer.learned[0],
        "learned_high": offer.learned[1],
        "learned_from": offer.learned[2],
        "score": score(given, offer),
        "expected_margin": expected_margin(given, offer),
    }
    if given.budget_left is not None and given.budget_known:
        numbers["budget_left"] = float(given.budget_left)
    for rule in given.rules:
        if rule.covers(offer.channel, given.campaign, given.purpose):
            numbers[_named(rule)] = float(len(used(rule, given.reservations, given.now)))
    return numbers


def _named(rule: CapRule | Limit) -> str:
    if isinstance(rule, Limit):
        return f"tries_by_law_{rule.law}"
    only = (("channel", rule.channel), ("campaign", rule.campaign), ("purpose", rule.purpose))
    return f"cap_used_{rule.most}_per_{int(rule.seconds)}s" + "".join(f"_{what}_{value}" for what, value in only if value)

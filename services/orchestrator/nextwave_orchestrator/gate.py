"""The gate: may this contact be made, on which channel, and if not, why. One pure function over one frozen value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from nextwave_contracts.actions import UNHELD_PURPOSES
from nextwave_contracts.decisions import Attempt, Check
from nextwave_contracts.reasons import GateCode

from nextwave_orchestrator.candidate import GateInput, Offer
from nextwave_orchestrator.caps import free_at, used
from nextwave_orchestrator.holdout import held_out
from nextwave_orchestrator.hours.spans import Hours, next_allowed

READY_AGAIN = timedelta(minutes=15)
"""When a candidate asks again whether a supporting system is ready."""
NEXT_CHANNEL: frozenset[GateCode] = frozenset({"no_consent", "suppressed", "no_address", "not_worth_it"})
"""Codes after which the next channel of the mix is tried."""


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


@dataclass(frozen=True, slots=True)
class Fault:
    """A check that failed. With `until`, the instant at which it would pass."""

    detail: str
    until: datetime | None = None


CheckOf = Callable[[GateInput, Offer], Fault | None]


def decide(given: GateInput) -> Judgement:
    """The answer: the first channel that passes every check acts; the reason is the first channel's where none does.

    A fault that is not the channel's own ends the search: the contact is deferred to the exact instant when that comes
    before the latest time, and withheld when not.
    """
    attempts: list[Attempt] = []
    for index, offer in enumerate(given.offers):
        attempt, fault = _attempt(given, offer)
        attempts.append(attempt)
        if fault is None:
            return Judgement(Act(index), index, tuple(attempts), _numbers(given, offer))
        if attempt.code not in NEXT_CHANNEL:
            return Judgement(_defer_or_withhold(given, attempt.code, fault), index, tuple(attempts), _numbers(given, offer))
    return Judgement(Withhold(attempts[0].code), 0, tuple(attempts), _numbers(given, given.offers[0]))


def stopped(given: GateInput) -> GateCode | None:
    """What now stops a contact that was decided before, on the input's only channel."""
    return next((code for code, check in CHECKS if code in STOPS and check(given, given.offers[0]) is not None), None)


def hours_of(given: GateInput, offer: Offer) -> Hours:
    """What the contact hours depend on. Transactional contacts are exempt by the rules."""
    if given.purpose == "transactional":
        return Hours((), "", "", "exempt")
    return Hours(given.zones, given.country, given.region, offer.channel, offer.quiet)


def _attempt(given: GateInput, offer: Offer) -> tuple[Attempt, Fault | None]:
    checks: list[Check] = []
    for code, check in CHECKS:
        fault = check(given, offer)
        if fault is not None:
            checks.append(Check(code=code, passed=False, detail=fault.detail))
            return Attempt(channel=offer.channel, code=code, checks=tuple(checks)), fault
        checks.append(_PASSED[code])
    return Attempt(channel=offer.channel, code="permitted", checks=tuple(checks)), None


def _defer_or_withhold(given: GateInput, code: GateCode, fault: Fault) -> Ruling:
    if fault.until is not None and given.now < fault.until < given.not_after:
        return Defer(fault.until, code)
    return Withhold(code)


def _numbers(given: GateInput, offer: Offer) -> dict[str, float]:
    numbers = {
        "risk": given.risk,
        "goal_value": float(given.goal_value),
        "lever": given.lever,
        "cost": float(offer.cost),
        "response_rate": offer.response_rate,
        "expected_margin": expected_margin(given, offer),
    }
    for rule in given.caps:
        if rule.covers(offer.channel, given.campaign, given.purpose):
            numbers[f"cap_used_{rule.most}_per_{int(rule.seconds)}s"] = float(len(used(rule, given.reservations, given.now)))
    return numbers


def expected_margin(given: GateInput, offer: Offer) -> float:
    """Response rate times the goal's value times the campaign's lever, minor units."""
    return offer.response_rate * given.goal_value * given.lever


def _campaign_stopped(given: GateInput, _offer: Offer) -> Fault | None:
    return None if given.state == "published" else Fault(f"the campaign is {given.state}")


def _holdout(given: GateInput, _offer: Offer) -> Fault | None:
    for scope, share in given.holdouts:
        if held_out(given.salt, scope, given.customer_id, share):
            return Fault(f"held out of {'everything' if scope == '*' else scope}, share {share:g}")
    return None


def _no_consent(given: GateInput, offer: Offer) -> Fault | None:
    facts = [c for c in given.consents if c.channel in ("", offer.channel) and c.purpose in ("", given.purpose)]
    newest = max(facts, key=lambda c: (c.at, not c.granted), default=None)
    if newest is not None and not newest.granted:
        return Fault(f"withdrawn at {newest.at.isoformat()}")
    if newest is None and offer.opt_in and given.purpose == "marketing":
        return Fault(f"{offer.channel} for {given.purpose} needs a granted consent")
    return None


def _suppressed(_given: GateInput, offer: Offer) -> Fault | None:
    return Fault("every address of this channel bounced") if offer.bounced else None


def _no_address(_given: GateInput, offer: Offer) -> Fault | None:
    return None if offer.address else Fault("no contact point on this channel")


def _complaint_open(given: GateInput, _offer: Offer) -> Fault | None:
    if given.purpose in UNHELD_PURPOSES:
        return None
    held = given.open_complaints > 0 or any(h.kind == "complaint" and _in_force(h.until, given.now) for h in given.holds)
    return Fault("a complaint is open") if held else None


def _hold(given: GateInput, _offer: Offer) -> Fault | None:
    kinds = sorted(h.kind for h in given.holds if h.kind != "complaint" and _in_force(h.until, given.now))
    return Fault(f"held by {', '.join(kinds)}") if kinds else None


def _in_force(until: datetime | None, now: datetime) -> bool:
    return until is None or until > now


def _unsatisfied(given: GateInput, _offer: Offer) -> Fault | None:
    return Fault("a matter is open or was closed without satisfaction") if given.unsatisfied and given.purpose == "marketing" else None


def _not_ready(given: GateInput, offer: Offer) -> Fault | None:
    lacking = [*given.not_ready, *([offer.wanting] if offer.wanting else [])]
    return Fault(f"not ready: {', '.join(lacking)}", given.now + READY_AGAIN) if lacking else None


def _hours(given: GateInput, offer: Offer) -> Fault | None:
    allowed = next_allowed(hours_of(given, offer), given.now)
    if allowed == given.now:
        return None
    if allowed is None:
        return Fault("no permitted hour" if given.zones else "no time zone is known")
    return Fault(f"next permitted at {allowed.isoformat()}", allowed)


def _cap(given: GateInput, offer: Offer) -> Fault | None:
    rests = [(until, "resting after a refusal or complaint") for c, until in given.resting.items() if c in ("", offer.channel)]
    rules = [rule for rule in given.caps if rule.covers(offer.channel, given.campaign, given.purpose)]
    full = [(free_at(rule, given.reservations, given.now), f"at most {rule.most} per {rule.seconds:g} s") for rule in rules]
    until, detail = max([*rests, *full], default=(given.now, ""))
    return Fault(detail, until) if until > given.now else None


def _not_worth_it(given: GateInput, offer: Offer) -> Fault | None:
    if given.purpose in UNHELD_PURPOSES or not offer.cost:
        return None
    if given.cell == "I":
        return Fault("value cell I gets no paid channel")
    margin = expected_margin(given, offer)
    return None if margin >= offer.cost else Fault(f"expected margin {margin:.2f} is below the cost {offer.cost}")


def _expired(given: GateInput, _offer: Offer) -> Fault | None:
    return None if given.now < given.not_after else Fault(f"the latest time was {given.not_after.isoformat()}")


CHECKS: tuple[tuple[GateCode, CheckOf], ...] = (
    ("campaign_stopped", _campaign_stopped),
    ("holdout", _holdout),
    ("no_consent", _no_consent),
    ("suppressed", _suppressed),
    ("no_address", _no_address),
    ("complaint_open", _complaint_open),
    ("hold", _hold),
    ("unsatisfied", _unsatisfied),
    ("not_ready", _not_ready),
    ("hours", _hours),
    ("cap", _cap),
    ("not_worth_it", _not_worth_it),
    ("expired", _expired),
)
"""In the order of the specification; budget, capacity and the arbiter come with their own issues."""
STOPS: frozenset[GateCode] = frozenset({"no_consent", "complaint_open", "hold", "unsatisfied"})
"""Codes that also take back what is queued: the customer does not want it, or must not be sold to."""
_PASSED: dict[GateCode, Check] = {code: Check(code=code, passed=True) for code, _ in CHECKS}

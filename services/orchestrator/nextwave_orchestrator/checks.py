"""The checks of the gate, one pure function each, in the order of product.md section 6; the first that fails gives the reason code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from nextwave_contracts.actions import UNHELD_PURPOSES, UNREVIEWED_PURPOSES
from nextwave_contracts.reasons import GateCode

from nextwave_orchestrator.arbiter import ranked, score
from nextwave_orchestrator.candidate import GateInput, Offer
from nextwave_orchestrator.caps import CapRule, Limit, free_at
from nextwave_orchestrator.holdout import held_out
from nextwave_orchestrator.hours.spans import Hours, next_allowed

READY_AGAIN = timedelta(minutes=15)
"""When a candidate asks again whether a supporting system is ready."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A check that failed. With `until`, the instant at which it would pass."""

    detail: str
    until: datetime | None = None
    of_channel: bool = False
    """Another channel of the mix may be free of it, whatever the check."""


CheckOf = Callable[[GateInput, Offer], Fault | None]


def hours_of(given: GateInput, offer: Offer) -> Hours:
    """What the contact hours depend on. Transactional contacts are exempt by the rules, and so is who came to us by themselves."""
    if given.purpose == "transactional" or given.inbound:
        return Hours((), "", "", "exempt")
    return Hours(given.zones, given.country, given.region, offer.channel, offer.quiet, offer.countries)


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
    complaints = [_in_force(hold.until, given.now) for hold in given.holds if hold.kind == "complaint"]
    held = any(complaints) or given.open_complaints > len(complaints)
    return Fault("a complaint is open") if held else None


def _hold(given: GateInput, offer: Offer) -> Fault | None:
    kinds = sorted(h.kind for h in given.holds if h.kind != "complaint" and _in_force(h.until, given.now))
    if kinds:
        return Fault(f"held by {', '.join(kinds)}")
    waiting = sorted(r.reference for r in given.reviews if r.channel in ("", offer.channel))
    if waiting and given.purpose not in UNREVIEWED_PURPOSES:
        return Fault(f"may have refused: waits for the review {', '.join(waiting)}", of_channel=True)
    return None


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


Wait = tuple[datetime, str]
"""Until when a contact has to wait, and for what."""


def rests(given: GateInput, offer: Offer) -> list[Wait]:
    """By the house and by law; nothing where the channel does not rest."""
    return [wait for wait in (*_house_rests(given, offer), *_lawful_rests(given, offer)) if wait[0] > given.now]


def _house_rests(given: GateInput, offer: Offer) -> list[Wait]:
    return [(until, "resting after a refusal or complaint") for c, until in given.resting.items() if c in ("", offer.channel)]


def _lawful_rests(given: GateInput, offer: Offer) -> list[Wait]:
    laws = [law for law in given.limits if law.covers(offer.channel, given.campaign, given.purpose)]
    return [(law.rests_until, f"resting after a refusal by {law.named}") for law in laws if law.rests_until]


def _cap(given: GateInput, offer: Offer) -> Fault | None:
    """What makes it wait longest of all that the house says, and every law."""

    def full(rules: Iterable[CapRule | Limit]) -> list[Wait]:
        covering = [rule for rule in rules if rule.covers(offer.channel, given.campaign, given.purpose)]
        return [(free_at(rule, given.reservations, given.now), rule.words) for rule in covering]

    quiet = (given.quiet_until or given.now, "resting after a contact of theirs")
    house = max([quiet, *_house_rests(given, offer), *full(given.caps if given.attempt == 1 else ())])
    waits = [wait for wait in (house, *full(given.limits), *_lawful_rests(given, offer)) if wait[0] > given.now]
    return Fault("; ".join(words for _, words in waits), max(until for until, _ in waits)) if waits else None


def _not_worth_it(given: GateInput, offer: Offer) -> Fault | None:
    if given.purpose in UNHELD_PURPOSES or not offer.cost:
        return None
    if given.cell == "I":
        return Fault("value cell I gets no paid channel")
    margin = expected_margin(given, offer)
    return None if margin >= offer.full_cost else Fault(f"expected margin {margin:.2f} is below the cost {offer.full_cost}")


def _budget(given: GateInput, offer: Offer) -> Fault | None:
    if given.budget_left is None or not offer.cost or offer.cost <= given.budget_left:
        return None
    return Fault(f"{max(0, given.budget_left)} is left, the contact costs {offer.cost}")


def _capacity(_given: GateInput, offer: Offer) -> Fault | None:
    until = offer.capacity_free_at
    return None if until is None else Fault(f"no free capacity before {until.isoformat()}", until)


def _outranked(given: GateInput, offer: Offer) -> Fault | None:
    """What is owed to the customer is never ranked, nor is a further attempt at a call."""
    if not given.rivals or given.purpose in UNHELD_PURPOSES or given.attempt > 1:
        return None
    result = ranked(given, offer)
    if not result.ahead or result.until == given.now:
        return None
    first = result.ahead[0]
    return Fault(f"{first.campaign} goes first with {first.score:.2f}, this scores {score(given, offer):.2f}", result.until)


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
    ("budget", _budget),
    ("capacity", _capacity),
    ("outranked", _outranked),
    ("expired", _expired),
)
"""In the order of the specification."""

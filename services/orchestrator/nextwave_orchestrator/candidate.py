"""One candidate contact as the gate sees it: everything the answer depends on, frozen and storable, so that it can be asked again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_values
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from nextwave_contracts.actions import UNHELD_PURPOSES, Purpose
from nextwave_contracts.channels import CHANNELS
from nextwave_contracts.customers import Consent, HeldBy, Snapshot, UnderReview
from nextwave_contracts.decisions import Rival
from nextwave_contracts.identifiers import INTERNAL

from nextwave_orchestrator.allowances import Leases, budget_of
from nextwave_orchestrator.campaigns.definition import Campaign, Pick, Policy, Step
from nextwave_orchestrator.caps import CapRule, Limit
from nextwave_orchestrator.catalogue import CampaignState, Catalogue, LiveCampaign
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.hours.rules import clock, other_countries
from nextwave_orchestrator.law import limits_on
from nextwave_orchestrator.parts import Appeal, part
from nextwave_orchestrator.responses.rates import local_hour
from nextwave_orchestrator.state import CustomerState, Reservation, Run, Stored

QUIET_MAX = 8
"""Of the customer's own quiet hours (trait `quiet_hours`, a list of `[HH:MM, HH:MM]`) so many are kept."""


class Offer(Stored, frozen=True, kw_only=True):
    """One channel of the mix, with its terms. `cost` in minor units, `response_rate` 0..1, `quiet` local times."""

    channel: str
    address: str = ""
    bounced: bool = False
    cost: int = 0
    response_rate: float = 0.0
    opt_in: bool = False
    quiet: tuple[tuple[str, str], ...] = ()
    wanting: str = ""
    """What this channel lacks before it can be used, for instance its template."""
    language: str = ""
    """In which of its template's languages the customer is spoken to; empty: in the default one, or not yet known."""
    countries: tuple[str, ...] = ()
    """Of the number, where they are not the one that was told: the hours of these hold besides."""
    place: str = ""
    """The list or team."""
    capacity_free_at: datetime | None = None
    """When the channel has capacity again; None where it has some now, or no limit."""
    weight: float = 1.0
    """How much this customer counts, by the policy's context."""
    loading: int = 0
    """What a contact costs indirectly, beside `cost`, minor units."""
    learned: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of what outcomes say of the response rate: 2.5 % of belief lies below the first, as much above the second; from how many contacts."""

    @property
    def full_cost(self) -> int:
        """Direct and indirect."""
        return self.cost + self.loading


class GateInput(Stored, frozen=True, kw_only=True):
    """Everything the gate looks at. Nothing in it is a default of the house: replay must not depend on later settings."""

    customer_id: str
    campaign: str
    version: int
    wave: str
    run_id: str
    purpose: Purpose
    now: datetime
    not_after: datetime
    state: CampaignState
    salt: str
    holdouts: tuple[tuple[str, float], ...]
    """`(scope, share)`; the scope `*` is the house's."""
    offers: tuple[Offer, ...]
    consents: tuple[Consent, ...]
    holds: tuple[HeldBy, ...]
    open_complaints: int
    unsatisfied: bool
    not_ready: tuple[str, ...]
    zones: tuple[str, ...]
    country: str
    region: str
    caps: tuple[CapRule, ...]
    reservations: tuple[Reservation, ...]
    resting: dict[str, datetime]
    """By channel (empty: all), until when nothing is sent after a refusal or a complaint."""
    cell: str
    risk: float
    goal_value: float
    lever: float
    priority: int = 100
    pick: Pick = "first_permitted"
    budget_left: int | None = None
    """What the campaign may still spend, minor units; None where it has no budget."""
    budget_known: bool = True
    """Whether `budget_left` is a number to tell: not where it is only what the partition has yet to ask for."""
    attempt: int = 1
    """Which attempt at a call this is: only the first needs a place in the caps, each needs one in the limits."""
    rivals: tuple[Rival, ...] = ()
    """The customer's other candidates that use up caps, those worth most first."""
    inbound: bool = False
    """The customer is with us now, on their own initiative: contact hours do not apply."""
    limits: tuple[Limit, ...] = ()
    """How often the law of every place where the customer may be lets us try."""

    quiet_until: datetime | None = None
    """Until when nothing is sent after the customer came to us; None where they did not."""
    reviews: tuple[UnderReview, ...] = ()
    """Words that may be a refusal, each on its channel, until somebody has read them."""

    @property
    def rules(self) -> tuple[CapRule | Limit, ...]:
        """Whatever counts contacts."""
        return (*self.caps, *self.limits)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact that a run wants now: the channels in order, and what led here."""

    campaign: LiveCampaign
    run: Run
    segment: str
    steps: tuple[Step, ...]
    now: datetime
    caused_by: str
    pick: Pick = "first_permitted"
    attempt: int = 1
    rivals: tuple[Rival, ...] = ()
    leases: Leases = field(default_factory=Leases)
    """What the partition may still reserve of budgets and capacities."""

    def at(self, instant: datetime) -> Candidate:
        """The same, wanted then, with what may be foreseen of budgets and capacities."""
        return with_values(self, now=instant, leases=self.leases.foreseen(instant))

    def against(self, rivals: Sequence[Rival]) -> Candidate:
        """The same, ranked against these."""
        return with_values(self, rivals=tuple(rivals))


def gate_input(catalogue: Catalogue, customer: CustomerState, candidate: Candidate) -> GateInput:
    """The candidate with everything that the gate's answer depends on."""
    profile, policy, definition, run = customer.profile, catalogue.policy, candidate.campaign.definition, candidate.run
    assert profile is not None
    appeals = [_appeal(catalogue, profile, candidate, step.channel) for step in candidate.steps]
    return GateInput(
        customer_id=customer.customer_id,
        campaign=run.campaign,
        version=run.version,
        wave=run.wave,
        run_id=run.run_id,
        purpose=definition.purpose,
        now=candidate.now,
        not_after=run.closes_at,
        state=catalogue.states.get(run.campaign, "paused"),
        salt=policy.salt,
        holdouts=holdouts(policy, definition),
        offers=tuple(_capable(_offer(step, appeal), step, candidate) for step, appeal in zip(candidate.steps, appeals, strict=True)),
        not_ready=tuple(system for system in definition.needs if not catalogue.ready.get(system, False)),
        caps=tuple(CapRule(c.most, duration(c.per).total_seconds(), c.channel, c.campaign, c.purpose) for c in policy.caps),
        reservations=customer.reservations,
        resting=_with_declined(_resting(profile, policy, definition.purpose), customer, policy, run),
        goal_value=part("value", appeals[0]),
        lever=part("lever", appeals[0]),
        priority=definition.priority,
        pick=candidate.pick,
        budget_left=candidate.leases.left(budget_of(run.campaign)),
        budget_known=candidate.leases.knows(budget_of(run.campaign)),
        attempt=candidate.attempt,
        rivals=candidate.rivals,
        quiet_until=_quiet_until(customer, policy, definition.purpose),
        **_of_profile(profile),
    )


def _of_profile(profile: Snapshot) -> dict[str, Any]:
    """What the gate asks of the customer, whichever campaign wants them."""
    return {
        "consents": profile.consents,
        "holds": profile.holds,
        "reviews": profile.reviews,
        "open_complaints": profile.open_complaints,
        "unsatisfied": profile.unsatisfied,
        "zones": profile.zones,
        "country": profile.country,
        "region": profile.region,
        "cell": profile.value.cell,
        "risk": profile.churn.risk,
        "limits": limits_on(profile),
    }


def holdouts(policy: Policy, definition: Campaign) -> tuple[tuple[str, float], ...]:
    """The holdouts that a campaign is subject to. What the customer is owed is not held back by the house's."""
    house = () if definition.purpose in UNHELD_PURPOSES else (("*", policy.global_holdout),)
    return (*house, (definition.key, definition.holdout))


def _appeal(catalogue: Catalogue, profile: Snapshot, candidate: Candidate, channel: str) -> Appeal:
    hour, assumed = local_hour(candidate.now, profile.zones), catalogue.policy.response_rates.get(channel, 0.0)
    learned = catalogue.responses.rate(candidate.segment, channel, hour, assumed)
    return Appeal(profile, candidate.campaign.definition, catalogue.policy, channel, candidate.now, learned)


def _offer(step: Step, appeal: Appeal) -> Offer:
    profile, policy, channel, rate = appeal.profile, appeal.policy, step.channel, appeal.learned
    points = [point for point in profile.contact_points if point.channel == channel]
    usable = [point.address for point in points if not point.bounced]
    terms = CHANNELS[channel]
    own = "" if terms.identifier else INTERNAL + profile.customer_id
    quiet = policy.quiet_calls if channel == "call" else ()
    cost = round(part("cost", appeal))
    address = usable[0] if usable else own
    return Offer(
        channel=channel,
        address=address,
        countries=other_countries(profile.country, address, channel),
        bounced=bool(points) and not usable,
        cost=cost,
        loading=round(cost * policy.loading_share),
        response_rate=part("response", appeal),
        weight=part("context", appeal),
        learned=(rate.low, rate.high, rate.sent),
        opt_in=channel in policy.opt_in_channels,
        quiet=(*quiet, *own_quiet_hours(profile.traits)) if terms.hours != "any" else (),
    )


def _capable(offer: Offer, step: Step, candidate: Candidate) -> Offer:
    """With when its channel, and its list or team, have capacity."""
    place = step.list or step.team
    return replace(offer, place=place, capacity_free_at=candidate.leases.free_at(offer.channel, place, candidate.now))


def own_quiet_hours(traits: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The customer's quiet hours; what is no pair of times is left out."""
    written = traits.get("quiet_hours")
    return tuple(_pairs(written[:QUIET_MAX])) if isinstance(written, list) else ()


def _pairs(written: list[Any]) -> Iterator[tuple[str, str]]:
    for pair in written:
        try:
            start, end = pair
            clock(start), clock(end)
        except (AttributeError, TypeError, ValueError):
            continue
        yield start, end


def _with_declined(resting: dict[str, datetime], customer: CustomerState, policy: Policy, run: Run) -> dict[str, datetime]:
    """A declined offer rests on every channel; only the campaign's own branch for refusals may still speak."""
    declined_at = customer.declined.get(run.campaign)
    if declined_at is None or run.branch == "refused":
        return resting
    until = declined_at + duration(policy.after_decline)
    return {**resting, "": max(until, resting.get("", until))}


def _resting(profile: Snapshot, policy: Policy, purpose: Purpose) -> dict[str, datetime]:
    """After a refusal its channel rests for marketing and care, after a complaint every channel for marketing."""
    if purpose not in {"marketing", "care"}:
        return {}
    after: timedelta = duration(policy.after_refusal)
    resting = {channel: refused_at + after for channel, refused_at in sorted(profile.refused.items())}
    if profile.complained_at is not None and purpose == "marketing":
        everywhere = profile.complained_at + duration(policy.after_complaint)
        resting[""] = max(everywhere, resting.get("", everywhere))
    return resting


def _quiet_until(customer: CustomerState, policy: Policy, purpose: Purpose) -> datetime | None:
    """Who just came to us with a matter of their own is not sold to at once."""
    return customer.came_at + duration(policy.after_contact) if customer.came_at is not None and purpose == "marketing" else None

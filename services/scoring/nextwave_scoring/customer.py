"""A customer as stored: the profile (facts, in any order) and the standing that was judged from it (band, stage, cell, next review)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from nextwave_contracts.customers import Band, Cell, Change, Churn, Course, Leaving, Relation, Snapshot, Unit, Value

from nextwave_scoring.assessment import Assessment, House, assess
from nextwave_scoring.churn import bands, review
from nextwave_scoring.churn.features import last_of
from nextwave_scoring.churn.outlook import ModelsInForce, Outlook
from nextwave_scoring.economics import UnitEconomics
from nextwave_scoring.instants import instant_or_none
from nextwave_scoring.lifecycle import next_turn
from nextwave_scoring.profile import consents, matters, rests, view, words
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.satisfaction import is_unsatisfied, satisfaction
from nextwave_scoring.profile.zones import candidate_zones
from nextwave_scoring.quantiles import bucket
from nextwave_scoring.value.appraisal import Worth
from nextwave_scoring.value.cells import Thresholds, next_cell


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """What was last judged. `band` is kept between judgements (hysteresis); instants in microseconds, 0 for none."""

    band: str = ""
    since: int = 0
    stage: str = ""
    cell: str = ""
    hold: str = ""
    review_at: int = 0
    """The review that is set as a timer; any other that fires is stale."""
    pattern: str = ""
    cause: str = ""
    economics: UnitEconomics = UnitEconomics()
    counted: tuple[int, int] | None = None
    """Buckets of current and potential value under which the customer is counted; None for the lost, who count for no quantile."""
    lost_at: int = 0
    """When the silence reached the band `lost`, while the customer is in it: before `since` where history was heard of later."""


class Customer(msgspec.Struct, array_like=True):
    """The stored state. Changed in place inside a batch's unit of work."""

    profile: Profile = msgspec.field(default_factory=Profile)
    standing: Standing = Standing()
    version: int = 0

    def __post_init__(self) -> None:
        """Reads what a build before this one stored."""
        words.inherit(self.profile)


class Judgement(msgspec.Struct, frozen=True):
    """What a customer's facts mean at an instant."""

    at: int
    outlook: Outlook
    churn: Churn
    value: Value
    standing: Standing
    told: Assessment
    turn: int | None
    """When time alone may change the course within the band."""

    def changes_from(self, before: Standing) -> tuple[Change, ...]:
        """What differs from an earlier standing; a new customer has none (empty `before`)."""
        after = self.standing
        fields = (
            ("churn.band", before.band, after.band),
            ("stage", before.stage, after.stage),
            ("value.cell", before.cell, after.cell),
            ("hold", before.hold, after.hold),
        )
        return tuple([Change(field=name, before=old, after=new) for name, old, new in fields if old != new])


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges customers by the models in force and by what the house said of its business. Pure."""

    models: ModelsInForce
    house: House = field(default_factory=House)

    def judge(self, customer: Customer, at: int, taken: Sequence[Thresholds] = (), heard_of: int | None = None) -> Judgement:
        """Risk, band, course, value and causes at `at` (microseconds). `taken`: thresholds of value taken from all customers so far.

        `heard_of`: when that happened which was heard of last. From before the band was judged, it was judged without knowing: the band
        is found anew then, as for somebody new, so that history that is read late or page by page holds nobody in a band.
        """
        profile, before = customer.profile, customer.standing
        model = self.models.current.judging(profile)
        ahead = model.outlook(profile)
        risk, reasons = ahead.explained(at)
        afresh = not before.band or (heard_of is not None and heard_of < before.since)
        band = _band(before, risk, at, afresh=afresh)
        heard = last_of(profile) if afresh else profile.last_at
        churn = Churn(risk=risk, band=band, horizon_days=model.horizon_days, model=model.name, reasons=reasons)
        told = assess(profile, band, risk, at, self.house)
        current, potential = told.worth.current, told.worth.potential
        cell = next_cell(before.cell, current, potential, self.house.thresholds(taken, at))
        standing = Standing(
            band=band,
            since=before.since if band == before.band else at,
            stage=told.course.stage,
            cell=cell,
            hold="complaint" if matters.count_open(profile.matters, matters.COMPLAINT) else "",
            review_at=before.review_at,
            pattern=told.course.pattern or "",
            cause=told.cause.cause,
            economics=told.economics,
            counted=None if band == "lost" else (bucket(current), bucket(potential)),
            lost_at=_lost_at(before, ahead, heard, at, afresh=afresh) if band == "lost" else 0,
        )
        value = _value(told.worth, cell, self.house.economics.currency)
        return Judgement(at, ahead, churn, value, standing, told, next_turn(profile, at, self.house.lifecycle))

    def snapshot(self, customer_id: str, customer: Customer, judged: Judgement) -> Snapshot:
        """The profile as rules and the gate see it."""
        profile, told, zones = customer.profile, judged.told, candidate_zones(customer.profile)
        return Snapshot(
            customer_id=customer_id,
            version=customer.version,
            identifiers=tuple(profile.names),
            first_seen_at=instant_or_none(profile.first_at),
            last_seen_at=instant_or_none(profile.last_at),
            churn=judged.churn,
            stage=judged.standing.stage,  # type: ignore[arg-type]  # stored as text, written only by `judge`
            value=judged.value,
            course=_course(told),
            leaving=Leaving(cause=told.cause.cause, share=round(told.cause.share, 4)),
            relation=Relation(score=told.relationship.score, weakest=told.relationship.weakest),
            unit=_unit(told.economics),
            orders=view.orders(profile, self.house.economics.currency),
            activity=view.activity(profile, judged.at),
            satisfaction=satisfaction(profile),
            complaints=view.complaints(profile),
            services=view.services(profile),
            refusals=profile.refusals,
            referrals=profile.referrals,
            contact_points=view.contact_points(profile),
            consents=consents.view(profile.consents),
            zones=zones,
            traits=view.traits(profile),
            **_seldom(profile, zones, judged.at),
        )


def _seldom(profile: Profile, zones: Sequence[str], at: int) -> dict[str, Any]:
    """The parts of a snapshot that most customers have none of: what is not there costs nothing."""
    found: dict[str, Any] = {}
    if profile.absorbed:
        found["absorbed"] = tuple(sorted(profile.absorbed))
    if profile.matters or profile.soured_at:
        found["unsatisfied"] = is_unsatisfied(profile)
        found["open_complaints"] = matters.count_open(profile.matters, matters.COMPLAINT)
        found["holds"] = matters.holds(profile.matters)
        found["reviews"] = matters.reviews(profile.matters)
    if profile.complained_at or profile.refused:
        found["complained_at"] = instant_or_none(profile.complained_at)
        found["refused"] = rests.view(profile)
    if profile.contracts:
        found["contract_ends_at"] = view.contract_ends_at(profile, at)
    if profile.products:
        found["products"] = view.products(profile)
    if profile.hours:
        found["best_hours"] = view.best_hour(profile, zones, at)
    if profile.shared or profile.sharers:
        found["shared"] = view.shared_names(profile)
    for place in ("country", "region", "language"):
        if place in profile.home:
            found[place] = view.home(profile, place)
    return found


def due_review(judged: Judgement) -> int | None:
    """When to look again: the review already set when it is early enough, else the exact next instant; None for never."""
    standing, at, turn = judged.standing, judged.at, judged.turn
    band: Band = standing.band  # type: ignore[assignment]  # stored as text, written only by `judge`
    is_set = standing.review_at > at and not (turn and turn < standing.review_at)
    if is_set and not review.changes_by(judged.outlook, band, standing.since, at, standing.review_at):
        return standing.review_at
    known = (due for due in (review.next_review(judged.outlook, band, standing.since, at), turn) if due is not None)
    due = min(known, default=None)
    return standing.review_at if is_set and due is not None and due >= standing.review_at else due


def _value(worth: Worth, cell: Cell, currency: str) -> Value:
    """As the ring sees it."""
    return Value(
        cell=cell,
        current=worth.current,
        potential=worth.potential,
        currency=currency,
        margin=worth.margin,
        service_cost=worth.service_cost,
        contact_cost=worth.contact_cost,
        up_buying=worth.up_buying,
        cross_buying=worth.cross_buying,
        referrals=worth.referrals,
        share_of_wallet=worth.share_of_wallet,
    )


def _course(told: Assessment) -> Course:
    course = told.course
    return Course(reached=course.reached, signs=course.signs, tenure_days=course.tenure_days, pattern=course.pattern)


def _unit(so_far: UnitEconomics) -> Unit:
    return Unit(margin=so_far.margin, acquisition=so_far.acquisition, direct=so_far.direct, indirect=so_far.indirect, net=so_far.net)


def _lost_at(before: Standing, ahead: Outlook, heard: int, at: int, *, afresh: bool) -> int:
    """Who was lost before stays so since then; of others silence tells, from `heard` on, when they were."""
    if before.band == "lost" and not afresh:
        return before.lost_at or before.since
    return review.reached(ahead, bands.UP["lost"], min(heard, at), at)


def _band(before: Standing, risk: float, at: int, *, afresh: bool) -> Band:
    if afresh:
        return bands.first_band(risk)
    return bands.next_band(before.band, before.since, risk, at)  # type: ignore[arg-type]  # stored as text, written only here

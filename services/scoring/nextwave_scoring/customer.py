"""A customer as stored: the profile (facts, in any order) and the standing that was judged from it (band, stage, cell, next review)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from nextwave_contracts.customers import Band, Change, Churn, Snapshot, Value

from nextwave_scoring.churn import bands, review
from nextwave_scoring.churn.baseline import Outlook, outlook
from nextwave_scoring.churn.population import MODEL, Population
from nextwave_scoring.instants import instant_or_none
from nextwave_scoring.lifecycle import stage
from nextwave_scoring.profile import consents, matters, rests, view, words
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.satisfaction import is_unsatisfied, satisfaction
from nextwave_scoring.profile.zones import candidate_zones
from nextwave_scoring.value import Economics, worth


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """What was last judged. `band` is kept between judgements (hysteresis); instants in microseconds, 0 for none."""

    band: str = ""
    since: int = 0
    stage: str = ""
    cell: str = ""
    hold: str = ""
    review_at: int = 0
    """The review that is set as a timer; any other that fires is stale."""


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

    def changes_from(self, before: Standing) -> tuple[Change, ...]:
        """What differs from an earlier standing; a new customer has none (empty `before`)."""
        after = self.standing
        fields = (
            ("churn.band", before.band, after.band),
            ("stage", before.stage, after.stage),
            ("value.cell", before.cell, after.cell),
            ("hold", before.hold, after.hold),
        )
        return tuple(Change(field=name, before=old, after=new) for name, old, new in fields if old != new)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges customers by one population and one set of economics. Pure."""

    population: Population
    economics: Economics

    def judge(self, customer: Customer, at: int) -> Judgement:
        """Risk, band, stage and value of a customer at `at` (microseconds)."""
        profile, before = customer.profile, customer.standing
        ahead = outlook(profile, self.population)
        risk = ahead.risk(at)
        band = _band(before, risk, at)
        churn = Churn(risk=risk, band=band, horizon_days=self.population.horizon_days, model=MODEL, reasons=ahead.reasons(at))
        value = worth(profile, risk, at, self.economics)
        standing = Standing(
            band=band,
            since=before.since if band == before.band else at,
            stage=stage(profile, band),
            cell=value.cell,
            hold="complaint" if matters.open_of(profile.matters, matters.COMPLAINT) else "",
            review_at=before.review_at,
        )
        return Judgement(at, ahead, churn, value, standing)

    def snapshot(self, customer_id: str, customer: Customer, judged: Judgement) -> Snapshot:
        """The profile as rules and the gate see it."""
        profile = customer.profile
        return Snapshot(
            customer_id=customer_id,
            version=customer.version,
            identifiers=tuple(profile.names),
            absorbed=tuple(sorted(profile.absorbed)),
            first_seen_at=instant_or_none(profile.first_at),
            last_seen_at=instant_or_none(profile.last_at),
            churn=judged.churn,
            stage=judged.standing.stage,  # type: ignore[arg-type]  # stored as text, written only by `judge`
            value=judged.value,
            orders=view.orders(profile, self.economics.currency),
            activity=view.activity(profile, judged.at),
            satisfaction=satisfaction(profile),
            unsatisfied=is_unsatisfied(profile),
            open_complaints=len(matters.open_of(profile.matters, matters.COMPLAINT)),
            refusals=profile.refusals,
            refused=rests.view(profile),
            complained_at=instant_or_none(profile.complained_at),
            contact_points=view.contact_points(profile),
            consents=consents.view(profile.consents),
            holds=matters.holds(profile.matters),
            zones=candidate_zones(profile),
            country=view.home(profile, "country"),
            region=view.home(profile, "region"),
            language=view.home(profile, "language"),
            traits=view.traits(profile),
        )


def due_review(judged: Judgement) -> int | None:
    """When to look again: the review already set when it is early enough, else the exact next instant; None for never."""
    standing, at = judged.standing, judged.at
    band: Band = standing.band  # type: ignore[assignment]  # stored as text, written only by `judge`
    is_set = standing.review_at > at
    if is_set and not review.changes_by(judged.outlook, band, standing.since, at, standing.review_at):
        return standing.review_at
    due = review.next_review(judged.outlook, band, standing.since, at)
    return standing.review_at if is_set and due is not None and due >= standing.review_at else due


def _band(before: Standing, risk: float, at: int) -> Band:
    if not before.band:
        return bands.first_band(risk)
    return bands.next_band(before.band, before.since, risk, at)  # type: ignore[arg-type]  # stored as text, written only here

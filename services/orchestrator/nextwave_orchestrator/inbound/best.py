"""Puts the answer together: who it is, why they come, what is open, what they are entitled to, what may be offered, what to do first."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from nextwave_contracts.identifiers import INTERNAL

from nextwave_orchestrator.campaigns.definition import SERVICE_LEVELS
from nextwave_orchestrator.decisions import id_of
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.inbound.answer import Level, Next, NextBestAction, Offer, OpenMatter, Promise, Recording, Risk, Who
from nextwave_orchestrator.inbound.calling import calling
from nextwave_orchestrator.inbound.handover import handover
from nextwave_orchestrator.inbound.matters import masked_matter, masked_promise, open_matters, promises
from nextwave_orchestrator.inbound.offers import may_sell, rank
from nextwave_orchestrator.inbound.visit import Visit
from nextwave_orchestrator.offered import ACCEPTED, DECLINED

SOURCE = "nextwave/next-best-action"
"""Of the events that an agent's desktop posts back."""


def next_best_action(visit: Visit) -> NextBestAction:
    """The whole answer, from the customer's own state and the catalogue alone."""
    matters, promised = _open(visit)
    selling, (offers, losers) = may_sell(visit), rank(visit)
    found = NextBestAction(
        answer_id=visit.answer_id,
        customer_id=visit.state.customer_id,
        at=visit.now,
        channel=visit.channel,
        agent=visit.agent,
        next=_first(matters, promised, offers),
        who=_who(visit),
        calling=calling(visit.profile, visit.told, visit.now, matters, promised),
        matters=matters,
        promises=promised,
        risk=_risk(visit),
        service_level=_level(visit),
        may_sell=selling,
        offers=offers,
        losers=losers,
        handover="",
        record=_record(visit, offers, matters),
    )
    return replace(found, handover=handover(found))


def _open(visit: Visit) -> tuple[tuple[OpenMatter, ...], tuple[Promise, ...]]:
    """Matters and promises as the asking role may see them; everything else that is said of them is made of these."""
    history = visit.state.history
    matters, promised = open_matters(visit.profile, history), promises(history, visit.now)
    if not visit.masked:
        return matters, promised
    return tuple(map(masked_matter, matters)), tuple(map(masked_promise, promised))


def _first(matters: tuple[OpenMatter, ...], promised: tuple[Promise, ...], offers: tuple[Offer, ...]) -> Next:
    """A matter before a promise, a promise before an offer: nobody is sold to before their matter is solved."""
    if matters:
        kind = "complaint" if matters[0].kind == "complaint" else "request"
        about = matters[0].reference
        return Next(do="solve", about=about, say=f"Solve their {kind} {about}".rstrip() + " first; sell nothing.")
    if promised and (promised[0].is_overdue or not offers):
        return Next(do="keep_promise", about=promised[0].reference, say=f"Keep what was promised: {promised[0].text}.")
    if offers:
        return Next(do="offer", about=offers[0].campaign, say=offers[0].say)
    return Next(do="help", about="", say="Ask what brings them here, and help.")


def _who(visit: Visit) -> Who:
    profile = visit.shown
    return Who(
        name=name_in(profile.traits),
        identifiers=profile.identifiers,
        language=profile.language,
        zones=profile.zones,
        segments=visit.segments,
        stage=profile.stage,
        cell=profile.value.cell,
        value=profile.value.current,
        potential=profile.value.potential,
        currency=profile.value.currency,
        orders=profile.orders.count,
        last_order_at=profile.orders.last_at,
        customer_since=profile.first_seen_at,
        contract_ends_at=profile.contract_ends_at,
        satisfaction=profile.satisfaction,
    )


def name_in(traits: dict[str, Any]) -> str:
    """What the customer is called; empty where nobody told."""
    whole = traits.get("name")
    if isinstance(whole, str) and whole:
        return whole
    pairs = (("first_name", "last_name"), ("firstName", "lastName"), ("firstname", "lastname"))
    parts = next(([traits[key] for key in pair if traits.get(key)] for pair in pairs if any(traits.get(key) for key in pair)), [])
    return " ".join(str(part) for part in parts)


def _risk(visit: Visit) -> Risk:
    churn = visit.profile.churn
    return Risk(
        probability=churn.risk,
        band=churn.band,
        horizon_days=churn.horizon_days,
        cause=visit.profile.leaving.cause,
        reasons=tuple(sorted(churn.reasons, key=lambda reason: -abs(reason.contribution))),
    )


def _level(visit: Visit) -> Level:
    cell = visit.profile.value.cell
    level = visit.catalogue.policy.service_levels.get(cell) or SERVICE_LEVELS[cell]
    seconds = int(duration(level.answer_within).total_seconds())
    return Level(cell=cell, answer_within_seconds=seconds, first=level.first, line=level.line)


def _record(visit: Visit, offers: tuple[Offer, ...], matters: tuple[OpenMatter, ...]) -> Recording:
    """Ids follow from the answer, so that what is posted twice is one touchpoint."""
    references = [matter.reference for matter in matters if matter.reference]
    handed = {"references": references} if references else {}
    return Recording(
        accepted={offer.campaign: _of_offer(visit, ACCEPTED, offer) for offer in offers},
        declined={offer.campaign: _of_offer(visit, DECLINED, offer) for offer in offers},
        handed_over=_event(visit, f"{visit.channel}.transferred", visit.answer_id, handed),
    )


def _of_offer(visit: Visit, kind: str, offer: Offer) -> dict[str, Any]:
    named = {"campaign": offer.campaign, "version": offer.version, "wave": offer.wave, "segment": offer.segment}
    run = {"run_id": offer.run_id} if offer.run_id else {}
    return _event(visit, kind, offer.offer_id, {**named, **run, "offer_id": offer.offer_id})


def _event(visit: Visit, kind: str, about: str, data: dict[str, Any]) -> dict[str, Any]:
    """A CloudEvent 1.0 without a time: it happened when it is posted."""
    agent = {"agent": visit.agent} if visit.agent else {}
    named = {"identifiers": [INTERNAL + visit.state.customer_id], "channel": visit.channel, "answer_id": visit.answer_id}
    return {
        "specversion": "1.0",
        "id": id_of("event", about, kind),
        "source": SOURCE,
        "type": kind,
        "datacontenttype": "application/json",
        "data": {**named, **agent, **data},
    }

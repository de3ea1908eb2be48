"""Trying a draft, or a version, on one customer before anybody is contacted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
from fastapi import APIRouter, Request
from nextwave_contracts.customers import Snapshot
from nextwave_contracts.documents import read_as
from nextwave_contracts.faults import Fault, FaultyError, raise_any
from starlette.responses import Response

from nextwave_orchestrator.api.campaigns import draft_of
from nextwave_orchestrator.api.control import Controlled, Reader, answer, document, instant_faults
from nextwave_orchestrator.api.documents import missing
from nextwave_orchestrator.assembly import CampaignRow, Version, assemble
from nextwave_orchestrator.campaigns.compile import compile_campaign
from nextwave_orchestrator.campaigns.definition import Campaign, Segment
from nextwave_orchestrator.catalogue import Catalogue, Facts
from nextwave_orchestrator.catalogue_store import CatalogueSession
from nextwave_orchestrator.live import gather
from nextwave_orchestrator.rules.explain import Explanation, explain
from nextwave_orchestrator.rules.parse import read_rule
from nextwave_orchestrator.trial import Event, horizon, try_out

router = APIRouter(tags=["campaigns"])
EVENTS_MAX = 200
LONGEST = timedelta(days=400)
NO_KEY = bytes(32)
"""Hashes of identifiers in contacts that go nowhere."""


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer and what happens to them. `version` 0 is the draft; `until` is when the last window can have closed, unless given."""

    profile: Snapshot
    events: tuple[Event, ...] = ()
    until: datetime | None = None
    version: int = 0


@router.post("/v1/campaigns/{key}:try")
async def try_campaign(key: str, request: Request, control: Controlled, _: Reader) -> Response:
    """What the draft (or a version) would do with this customer and these events, step by step. Nothing is stored, nobody is contacted."""
    trial = read_as(await document(request), Trial)
    raise_any([*_excess(trial), *_impossible(trial)])
    now = control.clock.now()
    async with control.store.reading() as session:
        catalogue = await _alone(session, key, trial.version)
        audience = await _audience(session, catalogue, trial, now)
    begins = min((event.at for event in trial.events), default=now)
    until = _until(trial, catalogue, begins)
    steps = await asyncio.to_thread(try_out, catalogue, trial.profile, trial.events, (begins, until))
    told = {"key": key, "version": trial.version or "draft", "until": until, "audience": audience, "steps": steps}
    return answer(msgspec.json.encode(told))


async def _alone(session: CatalogueSession, key: str, number: int) -> Catalogue:
    """The catalogue as it is, but with this one version of this one campaign, published."""
    if number:
        bodies = [v.body for v in await session.versions(key) if v.version == number]
        if not bodies:
            raise missing("version of this campaign", str(number))
        body = bodies[0]
    else:
        body = (await draft_of(session, key)).body
    number = number or 1
    stored = await gather(session)
    alone = replace(stored, campaigns=[CampaignRow(key, "published", number)], versions=[Version(key, number, body)])
    tried = compile_campaign(msgspec.json.decode(body, type=Campaign), number, "published")
    return assemble(alone, NO_KEY, {(key, number): tried})


async def _audience(session: CatalogueSession, catalogue: Catalogue, trial: Trial, now: datetime) -> Explanation | None:
    """Whether the customer is of the audience at the first event, leaf by leaf; None where everybody is, or the segment is missing."""
    (campaign,) = catalogue.live
    stored = await session.document("segments", campaign.definition.entry.audience.segment)
    if stored is None:
        return None
    rule = read_rule(msgspec.json.decode(stored.body, type=Segment).rule, "/rule")
    return explain(rule, Facts(trial.profile, [], min((event.at for event in trial.events), default=now)))


def _excess(trial: Trial) -> Iterator[Fault]:
    if len(trial.events) > EVENTS_MAX:
        yield Fault("/events", f"{len(trial.events)} events", f"try at most {EVENTS_MAX}")
    named = trial.profile.customer_id
    if "/" in named or "\0" in named:
        yield Fault("/profile/customer_id", f"{named!r:.80} is no customer's id", "write for example c-1")
    for n, event in enumerate(trial.events):
        if event.profile is not None and event.profile.customer_id != named:
            yield Fault(f"/events/{n}/profile/customer_id", "it is another customer", f"write {named!r:.80}")


def _impossible(trial: Trial) -> Iterator[Fault]:
    yield from instant_faults((f"/events/{n}/at", event.at) for n, event in enumerate(trial.events))
    yield from instant_faults([("/until", trial.until)] if trial.until else [])


def _until(trial: Trial, catalogue: Catalogue, begins: datetime) -> datetime:
    until = trial.until or min(horizon(catalogue, trial.events, begins), begins + LONGEST)
    if not begins <= until <= begins + LONGEST:
        raise FaultyError(
            [Fault("/until", "before the first event, or too long after it", f"give an instant at most {LONGEST.days} days after it")]
        )
    return until

"""Segments and templates: owners' named rules and contents, and a trial of a rule on a profile."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from nextwave_contracts.customers import Snapshot
from nextwave_contracts.documents import read_as
from nextwave_contracts.faults import raise_any
from nextwave_runtime.auth import Key
from nextwave_runtime.written import refused
from starlette.responses import Response

from nextwave_orchestrator.api.approval import approve_widening, size_to_approve
from nextwave_orchestrator.api.control import Control, Controlled, Editor, Reader, answer, document, instant_faults
from nextwave_orchestrator.api.documents import Cursor, Document, Limit, Within, listing, missing, save, show
from nextwave_orchestrator.api.surroundings import started, surroundings
from nextwave_orchestrator.campaigns.checks import segment_faults
from nextwave_orchestrator.campaigns.contents import broken_by
from nextwave_orchestrator.campaigns.definition import Segment, Template
from nextwave_orchestrator.catalogue import Facts, Happening
from nextwave_orchestrator.catalogue_store import CatalogueSession
from nextwave_orchestrator.live import policy_of
from nextwave_orchestrator.rules.explain import explain
from nextwave_orchestrator.rules.parse import read_rule
from nextwave_orchestrator.state import HISTORY_MAX
from nextwave_orchestrator.templates import template_faults

router = APIRouter()


async def _changing(control: Control, by: Key, segment: Segment) -> Within:
    """An editor does not widen a campaign's audience beyond what they may publish; whoever waits for time to move customers waits anew."""
    size = await size_to_approve(control, by, segment)

    async def within(session: CatalogueSession) -> None:
        await approve_widening(session, control, by, segment, size)
        await _crossed_anew(session, segment.key)

    return within


async def _crossed_anew(session: CatalogueSession, key: str) -> None:
    """By another rule, time alone moves customers in and out at other instants; where somebody waits for that, timers are set anew."""
    for campaign in (await surroundings(session, None)).others:
        on = campaign.entry.on
        if key in {*on.entered.get("segment", ()), *on.left.get("segment", ())}:
            await session.announce("campaign_opened", campaign.key, "published")


async def _keeping(control: Control, _by: Key, template: Template) -> Within:
    """A template acts at once: nobody writes one with which a campaign that was published could not be.

    It is judged before the catalogue is locked, since nobody could stop a campaign meanwhile; anew only where others changed what counts.
    """
    async with control.store.reading() as session:
        before = await started(session), await policy_of(session)
    broken = await asyncio.to_thread(broken_by, template, *before)

    async def within(session: CatalogueSession) -> None:
        now = await started(session), await policy_of(session)
        if found := broken if now == before else await asyncio.to_thread(broken_by, template, *now):
            raise refused(found)

    return within


SEGMENTS = Document("segments", "segment", Segment, segment_faults, changing=_changing)
TEMPLATES = Document("templates", "template", Template, template_faults, changing=_keeping)


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event of the customer's history."""

    type: str
    at: datetime
    data: dict[str, Any] = {}


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer to try a rule on."""

    profile: Snapshot
    history: tuple[Seen, ...] = ()


@router.put("/v1/segments/{key}", tags=["segments"])
async def put_segment(key: str, request: Request, control: Controlled, by: Editor) -> Response:
    """Write a segment."""
    return await save(request, control, by, SEGMENTS, key)


@router.get("/v1/segments/{key}", tags=["segments"])
async def get_segment(key: str, request: Request, control: Controlled, _: Reader) -> Response:
    """Read a segment."""
    return await show(request, control, SEGMENTS, key)


@router.get("/v1/segments", tags=["segments"])
async def list_segments(control: Controlled, _: Reader, cursor: Cursor = "", limit: Limit = 100) -> Response:
    """List segments in key order."""
    return await listing(control, SEGMENTS, cursor, limit)


@router.post("/v1/segments/{key}:explain", tags=["segments"])
async def explain_segment(key: str, request: Request, control: Controlled, _: Reader) -> Response:
    """Try a segment on a profile, leaf by leaf."""
    trial = read_as(await document(request), Trial)
    raise_any(list(instant_faults((f"/history/{n}/at", one.at) for n, one in enumerate(trial.history))))
    async with control.store.reading() as session:
        stored = await session.document("segments", key)
    if stored is None:
        raise missing("segment", key)
    rule = read_rule(msgspec.json.decode(stored.body, type=Segment).rule, "/rule")
    history = sorted((Happening(s.type, s.at, s.data) for s in trial.history), key=lambda h: h.at)[-HISTORY_MAX:]
    return answer(msgspec.json.encode(explain(rule, Facts(trial.profile, history, control.clock.now()))))


@router.put("/v1/templates/{key}", tags=["templates"])
async def put_template(key: str, request: Request, control: Controlled, by: Editor) -> Response:
    """Write a template."""
    return await save(request, control, by, TEMPLATES, key)


@router.get("/v1/templates/{key}", tags=["templates"])
async def get_template(key: str, request: Request, control: Controlled, _: Reader) -> Response:
    """Read a template."""
    return await show(request, control, TEMPLATES, key)


@router.get("/v1/templates", tags=["templates"])
async def list_templates(control: Controlled, _: Reader, cursor: Cursor = "", limit: Limit = 100) -> Response:
    """List templates in key order."""
    return await listing(control, TEMPLATES, cursor, limit)

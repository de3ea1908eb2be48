"""Campaigns: drafts are written freely, publishing makes an immutable version, and stopping acts within a second."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from nextwave_runtime.auth import Key
from nextwave_runtime.problem import FieldError, Problem
from starlette.responses import Response

from nextwave_orchestrator.api.control import Control, Controlled, Editor, Reader, Stopper, answer, require_match
from nextwave_orchestrator.api.documents import MOST_LISTED, Document, missing, save
from nextwave_orchestrator.assembly import CampaignRow, Stored, Version
from nextwave_orchestrator.campaigns.checks import campaign_faults
from nextwave_orchestrator.campaigns.definition import Campaign, Template
from nextwave_orchestrator.campaigns.lifecycle import ImpossibleError, Verb, may_publish, next_state
from nextwave_orchestrator.campaigns.lint import Finding, Surroundings, lint
from nextwave_orchestrator.catalogue import CampaignState
from nextwave_orchestrator.catalogue_store import CatalogueSession
from nextwave_orchestrator.live import policy_of

router = APIRouter(tags=["campaigns"])
DRAFTS = Document("campaign_drafts", "campaign", Campaign, campaign_faults)


@router.put("/v1/campaigns/{key}")
async def put_campaign(key: str, request: Request, control: Controlled, by: Editor) -> Response:
    """Write a campaign's draft, JSON or YAML."""
    return await save(request, control, by, DRAFTS, key)


@router.get("/v1/campaigns/{key}")
async def get_campaign(key: str, control: Controlled, _: Reader) -> Response:
    """Read a campaign: state, draft, newest version."""
    async with control.store.reading() as session:
        draft, row = await _draft(session, key), await session.campaign(key)
        versions = await session.versions(key)
    return answer(msgspec.json.encode(_summary(draft, row, versions[-1:])), revision=draft.revision)


@router.get("/v1/campaigns")
async def list_campaigns(
    control: Controlled, _: Reader, after: str = "", limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100
) -> Response:
    """List campaigns in key order."""
    async with control.store.reading() as session:
        drafts = await session.documents("campaign_drafts", after=after, limit=limit)
        rows = {row.key: row for row in await session.campaigns()}
    items = [_summary(draft, rows.get(draft.key), []) for draft in drafts]
    return answer(msgspec.json.encode({"items": items, "next": drafts[-1].key if len(drafts) == limit else None}))


@router.post("/v1/campaigns/{key}:lint")
async def lint_campaign(key: str, control: Controlled, _by: Reader) -> Response:
    """What would go wrong with the draft."""
    async with control.store.reading() as session:
        _, findings = await _linted(session, key)
    publishable = all(f.level != "error" for f in findings)
    return answer(msgspec.json.encode({"key": key, "publishable": publishable, "findings": findings}))


@router.post("/v1/campaigns/{key}:publish")
async def publish_campaign(key: str, request: Request, control: Controlled, by: Editor) -> Response:
    """Publish the draft as a new version."""
    async with control.store.changing() as session:
        draft = await _draft(session, key)
        require_match(request, draft)
        campaign, findings = await _linted(session, key)
        _refuse_errors(findings)
        await _require_right(session, control, campaign, by)
        row = await _published(session, draft, by)
    return answer(msgspec.json.encode({"key": key, "state": row.state, "version": row.version, "findings": findings}))


@router.post("/v1/campaigns/{key}:pause")
async def pause_campaign(key: str, control: Controlled, by: Stopper) -> Response:
    """Stop every contact of the campaign within a second."""
    return await _turn(control, key, "pause", by)


@router.post("/v1/campaigns/{key}:resume")
async def resume_campaign(key: str, control: Controlled, by: Editor) -> Response:
    """Go on after a pause."""
    return await _turn(control, key, "resume", by)


@router.post("/v1/campaigns/{key}:end")
async def end_campaign(key: str, control: Controlled, by: Stopper) -> Response:
    """End the campaign for good."""
    return await _turn(control, key, "end", by)


async def _turn(control: Control, key: str, verb: Verb, by: Key) -> Response:
    """Pause, resume or end; the same again changes nothing."""
    async with control.store.changing() as session:
        row = await _row(session, key)
        turned = row._replace(state=_following(verb, row))
        await _set(session, row, turned, by)
    return answer(msgspec.json.encode({"key": key, "state": turned.state, "version": turned.version}))


async def _published(session: CatalogueSession, draft: Stored, by: Key) -> CampaignRow:
    """The campaign with the draft as its newest version; an unchanged draft makes no new one."""
    row = await _row(session, draft.key)
    state = _following("publish", row)
    newest = [v for v in await session.versions(draft.key) if v.version == row.version]
    is_new = not newest or newest[0].body != draft.body
    published = CampaignRow(draft.key, state, row.version + is_new)
    if is_new:
        await session.add_version(Version(draft.key, published.version, draft.body), by.name)
    await _set(session, row, published, by)
    return published


async def _set(session: CatalogueSession, before: CampaignRow, after: CampaignRow, by: Key) -> None:
    """Writes the change, and in the same transaction tells every partition to stop or resume what is queued."""
    if after == before:
        return
    await session.set_campaign(after, by.name)
    await session.announce("campaign_resumed" if after.state == "published" else "campaign_stopped", after.key, after.state)


async def _row(session: CatalogueSession, key: str) -> CampaignRow:
    row = await session.campaign(key)
    if row is None:
        await _draft(session, key)
    return row or CampaignRow(key, "draft", 0)


async def _draft(session: CatalogueSession, key: str) -> Stored:
    draft = await session.document("campaign_drafts", key)
    if draft is None:
        raise missing("campaign", key)
    return draft


async def _linted(session: CatalogueSession, key: str) -> tuple[Campaign, list[Finding]]:
    campaign = msgspec.json.decode((await _draft(session, key)).body, type=Campaign)
    templates = (msgspec.json.decode(t.body, type=Template) for t in await session.documents("templates"))
    around = Surroundings(
        segments=frozenset(s.key for s in await session.documents("segments")),
        templates={t.key: t for t in templates},
        systems=frozenset(await session.readiness()),
        policy=await policy_of(session),
        others=await _others(session, key),
    )
    return campaign, lint(campaign, around)


async def _others(session: CatalogueSession, key: str) -> tuple[Campaign, ...]:
    live = {(r.key, r.version) for r in await session.campaigns() if r.state == "published" and r.key != key}
    bodies = [v.body for v in await session.versions() if (v.key, v.version) in live]
    return tuple(msgspec.json.decode(body, type=Campaign) for body in bodies)


async def _require_right(session: CatalogueSession, control: Control, campaign: Campaign, by: Key) -> None:
    if not may_publish(campaign, await policy_of(session), by.roles, control.editor_budget_max):
        detail = f"an editor publishes budgets up to {control.editor_budget_max} minor units; ask an approver to publish this"
        raise Problem(403, "approval-needed", detail)


def _refuse_errors(findings: list[Finding]) -> None:
    errors = tuple(FieldError(pointer=f.pointer, detail=f"{f.detail}; {f.fix}") for f in findings if f.level == "error")
    if errors:
        raise Problem(422, "not-publishable", "the campaign would not work as written; see errors", errors=errors)


def _following(verb: Verb, row: CampaignRow) -> CampaignState:
    try:
        return next_state(verb, row.state)
    except ImpossibleError as wrong:
        raise Problem(409, "wrong-state", str(wrong)) from wrong


def _summary(draft: Stored, row: CampaignRow | None, newest: list[Version]) -> dict[str, object]:
    return {
        "key": draft.key,
        "state": row.state if row else "draft",
        "version": row.version if row else 0,
        "draft": msgspec.Raw(draft.body),
        "published": msgspec.Raw(newest[0].body) if newest else None,
    }

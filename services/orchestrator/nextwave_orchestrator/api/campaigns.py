"""Campaigns: drafts are written freely, publishing makes an immutable version, and stopping acts within a second."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import msgspec
from fastapi import APIRouter, Request
from nextwave_contracts.faults import raise_any
from nextwave_runtime.auth import Key
from nextwave_runtime.problem import FieldError, Problem
from nextwave_runtime.written import require_match
from starlette.responses import Response

from nextwave_orchestrator.api.approval import Audience, counted, require_approval, still
from nextwave_orchestrator.api.control import Control, Controlled, Editor, Reader, Stopper, answer
from nextwave_orchestrator.api.documents import Cursor, Document, Limit, missing, page, save
from nextwave_orchestrator.api.surroundings import surroundings
from nextwave_orchestrator.assembly import CampaignRow, Stored, Version
from nextwave_orchestrator.campaigns.checks import campaign_faults
from nextwave_orchestrator.campaigns.definition import Campaign, Policy
from nextwave_orchestrator.campaigns.findings import Finding
from nextwave_orchestrator.campaigns.lifecycle import ImpossibleError, Verb, follow, too_large
from nextwave_orchestrator.campaigns.lint import Surroundings, lint
from nextwave_orchestrator.campaigns.words import campaign_in_words
from nextwave_orchestrator.catalogue_store import CatalogueSession

router = APIRouter(tags=["campaigns"])
DRAFTS = Document("campaign_drafts", "campaign", Campaign, campaign_faults)
JUDGED_MAX = 5
"""So often a draft is judged while others change the catalogue: they do not wait for it, since one of them may say stop."""


class _Judged(NamedTuple):
    """A draft without errors, as it was judged in a revision of the catalogue; `row` None: it was never published."""

    revision: int
    draft: Stored
    row: CampaignRow | None
    campaign: Campaign
    policy: Policy
    findings: list[Finding]


@router.put("/v1/campaigns/{key}")
async def put_campaign(key: str, request: Request, control: Controlled, by: Editor) -> Response:
    """Write a campaign's draft, JSON or YAML."""
    return await save(request, control, by, DRAFTS, key)


@router.get("/v1/campaigns/{key}")
async def get_campaign(key: str, control: Controlled, _: Reader) -> Response:
    """Read a campaign: where it stands, draft, newest version, and how many people are under way in each version."""
    async with control.store.reading() as session:
        draft, row = await draft_of(session, key), await session.campaign(key)
        versions = await session.versions(key)
        in_flight = await session.in_flight(key)
    summary = _summary(draft, row) | {"published": msgspec.Raw(versions[-1].body) if versions else None, "in_flight": in_flight}
    return answer(msgspec.json.encode(summary), revision=draft.revision)


@router.get("/v1/campaigns")
async def list_campaigns(control: Controlled, _: Reader, cursor: Cursor = "", limit: Limit = 100) -> Response:
    """List campaigns in key order."""
    async with control.store.reading() as session:
        drafts = await session.documents("campaign_drafts", after=cursor, limit=limit)
        rows = {row.key: row for row in await session.campaigns()}
    return page([_summary(draft, rows.get(draft.key)) for draft in drafts], [draft.key for draft in drafts], limit)


@router.post("/v1/campaigns/{key}:lint")
async def lint_campaign(key: str, control: Controlled, _by: Reader) -> Response:
    """What would go wrong with the draft, and what it says in words."""
    async with control.store.reading() as session:
        campaign, around = await _read(session, control, key)
    findings = await asyncio.to_thread(lint, campaign, around)
    publishable = all(f.level != "error" for f in findings)
    told = {"key": key, "publishable": publishable, "findings": findings, "words": campaign_in_words(campaign, around.segments)}
    return answer(msgspec.json.encode(told))


@router.post("/v1/campaigns/{key}:publish")
async def publish_campaign(key: str, request: Request, control: Controlled, by: Editor) -> Response:
    """Publish the draft as a new version. 409 where the campaign was changed, or stopped, meanwhile."""
    meant = await _audience(control, key)
    first = judged = await _judged(request, control, key)
    for _ in range(JUDGED_MAX):
        async with control.store.changing() as session:
            if session.revision == judged.revision:
                audience = await still(session, meant, judged.campaign.entry.audience.segment)
                large = too_large(judged.campaign, judged.policy, control.limits, 0 if control.sizes is None else audience)
                require_approval(by, large)
                row = await _published(session, judged.draft, by)
                return answer(msgspec.json.encode(row._asdict() | {"audience": audience, "findings": judged.findings}))
        judged = await _judged(request, control, key)
        if (judged.draft, judged.row) != (first.draft, first.row):
            break
    raise Problem(
        409, "changed-meanwhile", "it was changed while it was judged; read the campaign again, and publish it if it still is to run"
    )


@router.post("/v1/campaigns/{key}:pause")
async def pause_campaign(key: str, control: Controlled, by: Stopper) -> Response:
    """Stop every contact of the campaign within a second."""
    return await _turn(control, key, "pause", by)


@router.post("/v1/campaigns/{key}:resume")
async def resume_campaign(key: str, control: Controlled, by: Editor) -> Response:
    """Go on after a pause; where it is not paused, let people in again after a drain."""
    return await _turn(control, key, "resume", by)


@router.post("/v1/campaigns/{key}:end")
async def end_campaign(key: str, control: Controlled, by: Stopper) -> Response:
    """End the campaign for good."""
    return await _turn(control, key, "end", by)


@router.post("/v1/campaigns/{key}:drain")
async def drain_campaign(key: str, control: Controlled, by: Stopper) -> Response:
    """Let nobody in any more; who is under way goes on to the end."""
    return await _turn(control, key, "drain", by)


@router.post("/v1/campaigns/{key}:migrate")
async def migrate_campaign(key: str, control: Controlled, by: Editor) -> Response:
    """Take everybody who is under way in an older version over to the newest, at the wave of the same key."""
    return await _turn(control, key, "migrate", by)


async def _turn(control: Control, key: str, verb: Verb, by: Key) -> Response:
    """Any verb but publish; the same again changes nothing."""
    async with control.store.changing() as session:
        row = await _row(session, key)
        turned = _following(verb, row)
        await _set(session, row, turned, by)
    return answer(msgspec.json.encode(turned._asdict()))


async def _published(session: CatalogueSession, draft: Stored, by: Key) -> CampaignRow:
    """The campaign with the draft as its newest version; an unchanged draft makes no new one."""
    row = await _row(session, draft.key)
    newest = [v for v in await session.versions(draft.key) if v.version == row.version]
    is_new = not newest or newest[0].body != draft.body
    published = _following("publish", row)._replace(version=row.version + is_new)
    if is_new:
        await session.add_version(Version(draft.key, published.version, draft.body), by.name)
    await _set(session, row, published, by)
    return published


async def _set(session: CatalogueSession, before: CampaignRow, after: CampaignRow, by: Key) -> None:
    """Writes the change, and in the same transaction tells every partition where what is queued must stop or may go on."""
    if after == before:
        return
    await session.set_campaign(after, by.name)
    if after.state != before.state:
        await session.announce("campaign_resumed" if after.state == "published" else "campaign_stopped", after.key, after.state)
    if _lets_in(after) and not (_lets_in(before) and after.version == before.version):
        newest = next(v for v in reversed(await session.versions(after.key)) if v.version == after.version)
        if msgspec.json.decode(newest.body, type=Campaign).entry.on.by_time:
            await session.announce("campaign_opened", after.key, after.state)


def _lets_in(row: CampaignRow) -> bool:
    return row.state == "published" and not row.drains


async def _row(session: CatalogueSession, key: str) -> CampaignRow:
    row = await session.campaign(key)
    if row is None:
        await draft_of(session, key)
    return row or CampaignRow(key, "draft", 0)


async def draft_of(session: CatalogueSession, key: str) -> Stored:
    """The campaign's draft. Raises a 404 `Problem`."""
    draft = await session.document("campaign_drafts", key)
    if draft is None:
        raise missing("campaign", key)
    return draft


async def _read(session: CatalogueSession, control: Control, key: str) -> tuple[Campaign, Surroundings]:
    draft = await draft_of(session, key)
    return msgspec.json.decode(draft.body, type=Campaign), await surroundings(session, control.clock.now())


async def _judged(request: Request, control: Control, key: str) -> _Judged:
    """The draft, judged without the catalogue's lock. Raises a 404, 412 or 422 `Problem`, and `FaultyError`."""
    async with control.store.reading() as session:
        draft, row = await draft_of(session, key), await session.campaign(key)
        campaign, around = await _read(session, control, key)
    require_match(request, draft.revision)
    raise_any(campaign_faults(campaign))  # a draft may be older than a check
    findings = await asyncio.to_thread(lint, campaign, around)  # this process folds customers meanwhile
    _refuse_errors(findings)
    return _Judged(session.revision, draft, row, campaign, around.policy, findings)


async def _audience(control: Control, key: str) -> Audience:
    """Whom the draft is for."""
    async with control.store.reading() as session:
        draft = await draft_of(session, key)
    return await counted(control, msgspec.json.decode(draft.body, type=Campaign).entry.audience.segment)


def _refuse_errors(findings: list[Finding]) -> None:
    errors = tuple(FieldError(pointer=f.pointer, detail=f"{f.detail}; {f.fix}") for f in findings if f.level == "error")
    if errors:
        raise Problem(422, "not-publishable", "the campaign would not work as written; see errors", errors=errors)


def _following(verb: Verb, row: CampaignRow) -> CampaignRow:
    try:
        return follow(verb, row)
    except ImpossibleError as wrong:
        raise Problem(409, "wrong-state", str(wrong)) from wrong


def _summary(draft: Stored, row: CampaignRow | None) -> dict[str, object]:
    standing = row or CampaignRow(draft.key, "draft", 0)
    return standing._asdict() | {"draft": msgspec.Raw(draft.body)}

"""Gathers what a campaign is judged among: every segment, template, system, the policy, and the other live campaigns."""

from __future__ import annotations

from datetime import datetime

import msgspec

from nextwave_orchestrator.assembly import CampaignRow
from nextwave_orchestrator.campaigns.definition import Campaign, Segment, Template
from nextwave_orchestrator.campaigns.lint import Surroundings
from nextwave_orchestrator.catalogue_store import CatalogueSession
from nextwave_orchestrator.live import policy_of


async def surroundings(session: CatalogueSession, now: datetime | None) -> Surroundings:
    """Everything as it is stored; `others` are all campaigns that let people in (lint leaves out the one it looks at)."""
    segments = (msgspec.json.decode(s.body, type=Segment) for s in await session.documents("segments"))
    templates = (msgspec.json.decode(t.body, type=Template) for t in await session.documents("templates"))
    return Surroundings(
        segments={s.key: s for s in segments},
        templates={t.key: t for t in templates},
        systems=frozenset(await session.readiness()),
        policy=await policy_of(session),
        others=await _live(session),
        now=now,
    )


async def started(session: CatalogueSession) -> tuple[Campaign, ...]:
    """The newest version of every campaign that lets people in, or will again when somebody resumes it."""
    return await _newest(session, [row for row in await session.campaigns() if row.state in {"published", "paused"}])


async def _live(session: CatalogueSession) -> tuple[Campaign, ...]:
    return await _newest(session, [row for row in await session.campaigns() if row.state == "published" and not row.drains])


async def _newest(session: CatalogueSession, rows: list[CampaignRow]) -> tuple[Campaign, ...]:
    newest = {(row.key, row.version) for row in rows}
    bodies = [v.body for v in await session.versions() if (v.key, v.version) in newest]
    return tuple(msgspec.json.decode(body, type=Campaign) for body in bodies)

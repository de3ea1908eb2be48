"""What a folder of campaigns kept in git would change here; `nextwave campaign plan` and `apply` ask this."""

from __future__ import annotations

import asyncio

import msgspec
from fastapi import APIRouter, Request
from nextwave_contracts.documents import read_as
from nextwave_contracts.faults import Fault, FaultyError
from starlette.responses import Response

from nextwave_orchestrator.api.control import Control, Controlled, Reader, answer, body_of
from nextwave_orchestrator.api.surroundings import surroundings
from nextwave_orchestrator.campaigns.lint import Surroundings
from nextwave_orchestrator.campaigns.planning import MOST_FILES, Held, plan
from nextwave_orchestrator.catalogue_store import CatalogueSession
from nextwave_orchestrator.live import POLICY_KEY

router = APIRouter(tags=["campaigns"])
LARGEST = 2 * 1024 * 1024
"""Bytes of a whole folder."""


class Folder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The files of a folder: `{"campaigns/winter.yaml": "<what is in it>"}`."""

    files: dict[str, str]


@router.post("/v1/catalogue:plan")
async def plan_catalogue(request: Request, control: Controlled, _: Reader) -> Response:
    """What writing and publishing these files would change, file by file, with faults and lint findings. Nothing is written."""
    files = _files(await body_of(request, LARGEST))
    stored, around = await _stored(control)
    items = await asyncio.to_thread(plan, files, stored, around)  # megabytes of YAML must not hold up the processor in this process
    planned = {item.path for item in items}
    return answer(msgspec.json.encode({"items": items, "elsewhere": sorted(stored.keys() - planned)}))


def _files(body: bytes) -> dict[str, str]:
    try:
        files = read_as(msgspec.json.decode(body), Folder).files
    except msgspec.DecodeError as wrong:
        raise FaultyError([Fault("", f"this is no JSON: {wrong}", 'send {"files": {"<path>": "<text>"}}')]) from wrong
    if len(files) > MOST_FILES:
        raise FaultyError([Fault("/files", f"{len(files)} files", f"plan at most {MOST_FILES} at once")])
    return files


async def _stored(control: Control) -> tuple[dict[str, Held], Surroundings]:
    async with control.store.reading() as session:
        policy = await session.document("policies", POLICY_KEY)
        held = {"/v1/policy": Held(policy.body, policy.revision)} if policy else {}
        for kind in ("segments", "templates"):
            held |= {f"/v1/{kind}/{one.key}": Held(one.body, one.revision) for one in await session.documents(kind)}
        return held | await _campaigns(session), await surroundings(session, control.clock.now())


async def _campaigns(session: CatalogueSession) -> dict[str, Held]:
    rows = {row.key: row for row in await session.campaigns()}
    newest = {v.key: v.body for v in await session.versions() if rows[v.key].version == v.version}
    states = {key: "draining" if row.drains and row.state == "published" else row.state for key, row in rows.items()}
    return {
        f"/v1/campaigns/{one.key}": Held(one.body, one.revision, states.get(one.key, "draft"), newest.get(one.key))
        for one in await session.documents("campaign_drafts")
    }

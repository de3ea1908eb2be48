"""What was published when and by whom, what changed between two versions, and how many people are still under way in each."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from nextwave_contracts.differences import difference
from nextwave_runtime.problem import FieldError, Problem
from starlette.responses import Response

from nextwave_orchestrator.api.campaigns import draft_of
from nextwave_orchestrator.api.control import Controlled, Reader, answer
from nextwave_orchestrator.api.documents import Limit, missing, page
from nextwave_orchestrator.assembly import Version
from nextwave_orchestrator.catalogue_store import CatalogueSession

router = APIRouter(tags=["campaigns"])
Number = Annotated[int, Path(ge=1)]
From = Annotated[str, Query(pattern="^[0-9]{0,9}$", description="`next` of the page before")]
Against = Annotated[str, Query(pattern="^(draft|[0-9]{0,9})$", description="an older version, or draft")]


@router.get("/v1/campaigns/{key}/versions")
async def list_versions(key: str, control: Controlled, _: Reader, cursor: From = "", limit: Limit = 100) -> Response:
    """All versions of a campaign, oldest first, each with its people in flight."""
    async with control.store.reading() as session:
        await draft_of(session, key)
        versions = [v for v in await session.versions(key) if v.version > int(cursor or 0)][:limit]
        in_flight = await session.in_flight(key)
    items = [_facts(version, in_flight) for version in versions]
    return page(items, [str(version.version) for version in versions], limit)


@router.get("/v1/campaigns/{key}/versions/{version}:diff")
async def diff_versions(key: str, version: Number, control: Controlled, _: Reader, against: Against = "") -> Response:
    """What a version changed: against the one before it, or what is named."""
    async with control.store.reading() as session:
        newer = await _version(session, key, version)
        older, name = await _against(session, newer, against)
    lines = await asyncio.to_thread(difference, older, msgspec.json.decode(newer.body), (name, f"version {version}"))
    return answer(msgspec.json.encode({"key": key, "version": version, "against": name, "diff": lines}))


@router.get("/v1/campaigns/{key}/versions/{version}")
async def get_version(key: str, version: Number, control: Controlled, _: Reader) -> Response:
    """A version as it was published; it never changes."""
    async with control.store.reading() as session:
        found = await _version(session, key, version)
        in_flight = await session.in_flight(key)
    return answer(msgspec.json.encode(_facts(found, in_flight) | {"definition": msgspec.Raw(found.body)}))


def _facts(version: Version, in_flight: dict[int, int]) -> dict[str, object]:
    return {
        "key": version.key,
        "version": version.version,
        "published_at": version.published_at,
        "published_by": version.published_by,
        "in_flight": in_flight.get(version.version, 0),
    }


async def _version(session: CatalogueSession, key: str, number: int) -> Version:
    found = [v for v in await session.versions(key) if v.version == number]
    if not found:
        raise missing("version of this campaign", str(number))
    return found[0]


async def _against(session: CatalogueSession, newer: Version, against: str) -> tuple[Any, str]:
    """What to compare with, and how it is called; nothing before the first version."""
    if against == "draft":
        return msgspec.json.decode((await draft_of(session, newer.key)).body), "draft"
    number = int(against or newer.version - 1)
    if number == newer.version:
        raise Problem(
            422, "invalid-request", "a version is the same as itself", errors=(FieldError(pointer="/query/against", detail=OTHER),)
        )
    if number == 0:
        return {}, "nothing"
    return msgspec.json.decode((await _version(session, newer.key, number)).body), f"version {number}"


OTHER = "name another version, or draft"

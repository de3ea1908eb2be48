"""Who is in a segment, and about how many: for the owner who writes a rule and wants to see whom it means before it is used."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Query, Request
from nextwave_contracts.clock import Clock
from nextwave_contracts.documents import read_as
from nextwave_contracts.masking import mask_snapshot
from nextwave_runtime.database import Database
from starlette.responses import Response

from nextwave_orchestrator.api.control import Control, Controlled, Reader, Sizes, answer, document
from nextwave_orchestrator.api.documents import missing
from nextwave_orchestrator.audience.sample import Sampler
from nextwave_orchestrator.campaigns.definition import Segment
from nextwave_orchestrator.catalogue import Predicate
from nextwave_orchestrator.rules.compile import compile_rule
from nextwave_orchestrator.rules.parse import read_rule

MEMBERS_MAX = 100


class Proposed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule that is not saved."""

    rule: dict[str, Any]


def members_router(database: Database) -> APIRouter:
    """The routes over the customers of this database."""
    router = APIRouter(tags=["segments"])

    @router.get("/v1/segments/{key}/members", summary="A random sample of a segment's members, without addresses and names")
    async def members(key: str, control: Controlled, _: Reader, limit: Annotated[int, Query(ge=1, le=MEMBERS_MAX)] = 20) -> Response:
        matches = await _saved(control, key)
        some = await Sampler(database, str(uuid4()), control.clock.now()).members(matches, limit)
        told = {"items": [mask_snapshot(one) for one in some.found], "visited": some.visited, "complete": some.complete}
        return answer(msgspec.json.encode(told))

    @router.post("/v1/segments/{key}:estimate", summary="About how many customers are in a segment, or would be by the rule in the body")
    async def size(key: str, request: Request, control: Controlled, _: Reader) -> Response:
        is_given = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
        proposed = read_as(await document(request), Proposed) if is_given else None
        matches = compile_rule(read_rule(proposed.rule, "/rule")) if proposed else await _saved(control, key)
        found = await Sampler(database, str(uuid4()), control.clock.now()).size(matches)
        return answer(msgspec.json.encode({"key": key} | msgspec.structs.asdict(found)))

    return router


def audience_sizes(database: Database, clock: Clock) -> Sizes:
    """Counts an audience from a sample."""

    async def size(matches: Predicate) -> int:
        return (await Sampler(database, str(uuid4()), clock.now()).size(matches)).size

    return size


async def _saved(control: Control, key: str) -> Predicate:
    """The rule of a saved segment. Raises a 404 `Problem`."""
    async with control.store.reading() as session:
        stored = await session.document("segments", key)
    if stored is None:
        raise missing("segment", key)
    return compile_rule(read_rule(msgspec.json.decode(stored.body, type=Segment).rule, "/rule"))

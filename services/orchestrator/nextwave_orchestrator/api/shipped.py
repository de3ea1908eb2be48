"""The campaigns that come with the product: which there are, and their installation as drafts that never replace what an owner wrote."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from nextwave_contracts.documents import read_as
from nextwave_contracts.faults import Fault
from nextwave_runtime.written import refused
from starlette.responses import Response

from nextwave_orchestrator.api.campaigns import DRAFTS
from nextwave_orchestrator.api.control import Controlled, Editor, Reader, answer, document
from nextwave_orchestrator.api.documents import Document, read
from nextwave_orchestrator.api.segments import SEGMENTS, TEMPLATES
from nextwave_orchestrator.catalogue_store import CatalogueSession
from nextwave_orchestrator.shipped import Folder, Shipped, shipped, with_what_they_name

router = APIRouter(tags=["shipped campaigns"])
KINDS: dict[Folder, Document[Any]] = {"segments": SEGMENTS, "templates": TEMPLATES, "campaigns": DRAFTS}


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which campaigns to install, with what they name; all when none is named."""

    campaigns: tuple[str, ...] = ()


@router.get("/v1/shipped")
async def list_shipped(control: Controlled, _: Reader) -> Response:
    """What comes with the product, and whether it is installed: `absent`, `as_shipped` or `changed`."""
    async with control.store.reading() as session:
        items = [{"path": one.path, "state": await _state(session, one), "written": one.written} for one in shipped()]
    return answer(msgspec.json.encode({"items": items}))


@router.post("/v1/shipped:install")
async def install_shipped(request: Request, control: Controlled, by: Editor) -> Response:
    """Write what is not there yet: segments and templates, and campaigns as drafts. What is there is kept as it is."""
    is_empty = request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    documents = _wanted({} if is_empty else await document(request))
    installed: list[str] = []
    kept: list[str] = []
    async with control.store.changing() as session:
        for one in documents:
            kind = KINDS[one.folder]
            if await session.document(kind.kind, one.key) is not None:
                kept.append(one.path)
                continue
            await session.put(kind.kind, one.key, _body(one), by.name)
            installed.append(one.path)
    return answer(msgspec.json.encode({"installed": installed, "kept": kept}))


def _wanted(raw: Any) -> list[Shipped]:
    wanted, documents = read_as(raw, Wanted), shipped()
    known = [one.key for one in documents if one.folder == "campaigns"]
    strange = [
        Fault(f"/campaigns/{n}", f"{key!r:.80} is not shipped", f"use {', '.join(known)}")
        for n, key in enumerate(wanted.campaigns)
        if key not in known
    ]
    if strange:
        raise refused(strange)
    return with_what_they_name(documents, wanted.campaigns) if wanted.campaigns else list(documents)


def _body(one: Shipped) -> bytes:
    """As it would be stored had an owner put it."""
    return msgspec.json.encode(read(KINDS[one.folder], one.key, one.written))


async def _state(session: CatalogueSession, one: Shipped) -> str:
    stored = await session.document(KINDS[one.folder].kind, one.key)
    if stored is None:
        return "absent"
    return "as_shipped" if stored.body == _body(one) else "changed"

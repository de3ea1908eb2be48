"""What a template would say to a customer, with no side effect: one of ours, one that is made up, or one of whom nothing is known."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from nextwave_contracts.actions import Channel
from nextwave_contracts.customers import Snapshot
from nextwave_contracts.documents import read_as
from nextwave_contracts.faults import Fault, FaultyError
from nextwave_contracts.masking import mask_snapshot
from nextwave_runtime.auth import Key
from starlette.responses import Response

from nextwave_orchestrator.api.control import Control, Controlled, Reader, answer, checked_key, document
from nextwave_orchestrator.api.documents import missing, read
from nextwave_orchestrator.api.inbound import Find, followed
from nextwave_orchestrator.api.segments import TEMPLATES
from nextwave_orchestrator.campaigns.definition import Policy, Template
from nextwave_orchestrator.live import policy_of
from nextwave_orchestrator.preview import Occasion, in_language, preview
from nextwave_orchestrator.rendering import NOBODY


class Whom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom. `template`: its document as it may become, instead of what is saved."""

    customer_id: str = ""
    profile: Snapshot | None = None
    language: str | None = None
    entry: dict[str, Any] = {}
    template: dict[str, Any] | None = None


class Asked(Whom, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """And where."""

    channel: Channel


def previews_router(find: Find) -> APIRouter:
    """The route; `find` reads a customer's state."""
    router = APIRouter(tags=["templates"])

    @router.post("/v1/templates/{key}:preview", summary="What a template would say to a customer; nothing is stored, nobody is contacted")
    async def show(key: str, request: Request, control: Controlled, by: Reader) -> Response:
        asked = read_as(await document(request), Asked)
        template, policy = await gathered(control, checked_key(key), asked)
        shown = await customer(find, by, asked)
        occasion = Occasion(channel=asked.channel, entry=asked.entry, policy=policy)
        told = await asyncio.to_thread(preview, template, shown, occasion)
        return answer(msgspec.json.encode({"key": key} | msgspec.structs.asdict(told)))

    return router


async def gathered(control: Control, key: str, asked: Whom) -> tuple[Template, Policy]:
    """The template, saved or proposed, and the policy. Raises a 404 `Problem`, or `FaultyError`."""
    async with control.store.reading() as session:
        stored, policy = await session.document("templates", key), await policy_of(session)
    if asked.template is not None:
        try:
            return read(TEMPLATES, key, asked.template), policy
        except FaultyError as wrong:
            raise FaultyError([fault.under("/template") for fault in wrong.faults]) from wrong
    if stored is None:
        raise missing("template", key)
    return msgspec.json.decode(stored.body, type=Template), policy


async def customer(find: Find, by: Key, asked: Whom) -> Snapshot:
    """As much of the profile as the caller may see."""
    if asked.customer_id and asked.profile is not None:
        raise FaultyError([Fault("/profile", "a customer and a profile", "give customer_id or profile; neither for nobody in particular")])
    if not asked.customer_id:
        return in_language(asked.profile or NOBODY, asked.language)
    known = (await followed(find, asked.customer_id)).profile
    assert known is not None, "who is followed to is known"
    profile = in_language(known, asked.language)
    return profile if by.sees_addresses else mask_snapshot(profile)

"""Sending a template to an address of the house, to see it where it will be read; operators say which addresses there are."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from math import ceil
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Request
from msgspec.structs import replace
from nextwave_contracts.actions import Content
from nextwave_contracts.documents import read_as
from nextwave_contracts.faults import Fault, FaultyError
from nextwave_contracts.masking import MASK
from nextwave_runtime.auth import Key
from nextwave_runtime.problem import Problem
from starlette.responses import Response

from nextwave_orchestrator.api.control import Control, Controlled, Editor, Operator, Reader, answer, checked_key, document
from nextwave_orchestrator.api.documents import Document, save, tagged
from nextwave_orchestrator.api.inbound import Find
from nextwave_orchestrator.api.previews import Whom, customer, gathered
from nextwave_orchestrator.campaigns.definition import HouseAddress, HouseAddresses, Policy
from nextwave_orchestrator.catalogue_store import CatalogueSession
from nextwave_orchestrator.channel_limits import excess
from nextwave_orchestrator.live import POLICY_KEY
from nextwave_orchestrator.proofs import PER_HOUR, Proof, action_id_of, address_faults, decision_id_of
from nextwave_orchestrator.rendering import context_of
from nextwave_orchestrator.templates import UnrenderableError, chosen, content_of

ADDRESSES = Document("test_addresses", "list of test addresses", HouseAddresses, address_faults, keyed=False)
HOUR = timedelta(hours=1)
LIST = "PUT /v1/test-addresses (operators) keeps the list"
IdempotencyKey = Annotated[str, Header(max_length=255, description="any text; the same again sends nothing again")]


class Wanted(Whom, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """And to which address, by its name on the list."""

    to: str


def proofs_router(find: Find) -> APIRouter:
    """The routes; `find` reads a customer's state."""
    router = APIRouter(tags=["templates"])

    @router.get("/v1/test-addresses", summary="Where templates may be sent to be looked at; addresses for operators and who may see them")
    async def addresses(request: Request, control: Controlled, by: Reader) -> Response:
        async with control.store.reading() as session:
            stored = await session.document("test_addresses", POLICY_KEY)
        listed = HouseAddresses() if stored is None else msgspec.json.decode(stored.body, type=HouseAddresses)
        body = msgspec.json.encode({"addresses": listed.addresses if _sees(by) else _masked(listed)})
        return answer(body) if stored is None else tagged(request, body, stored.revision)

    @router.put("/v1/test-addresses", summary="Write the list of addresses that templates may be sent to")
    async def put_addresses(request: Request, control: Controlled, by: Operator) -> Response:
        return await save(request, control, by, ADDRESSES, POLICY_KEY)

    @router.post("/v1/templates/{key}:test-send", summary="Send a template to an address of the list")
    async def send(key: str, request: Request, control: Controlled, by: Editor, idempotency_key: IdempotencyKey = "") -> Response:
        if not idempotency_key:
            raise Problem(400, "no-idempotency-key", "send a header Idempotency-Key, the same whenever you repeat this request")
        raw = await document(request)
        wanted, action_id, fingerprint = read_as(raw, Wanted), action_id_of(by.name, idempotency_key), _fingerprint(key, raw)
        told = {"action_id": action_id, "decision_id": decision_id_of(action_id), "to": wanted.to}
        accepted = answer(msgspec.json.encode(told), status=202)
        async with control.store.reading() as session:
            if await _is_ordered(session, action_id, fingerprint):
                return accepted
        content, policy, reason = await _rendered(find, control, by, key, wanted)
        async with control.store.changing() as session:
            if not await _is_ordered(session, action_id, fingerprint):
                to = await _listed(session, wanted.to)
                _refuse(reason or excess(to.channel, content, policy.sms_segments) or _lacks(to.channel, content))
                await _keep_pace(session, control)
                proof = Proof(action_id=action_id, by=by.name, template=key, channel=to.channel, address=to.address, content=content)
                await session.order_proof(proof, fingerprint)
        return accepted

    return router


async def _rendered(find: Find, control: Control, by: Key, key: str, wanted: Wanted) -> tuple[Content, Policy, str]:
    """The content as far as the caller may see the customer, the policy, and why there is no content."""
    template, policy = await gathered(control, checked_key(key), wanted)
    shown = await customer(find, by, wanted)
    language, variant = chosen(template, shown.language)
    try:
        return await asyncio.to_thread(content_of, variant, context_of(shown, wanted.entry), language), policy, ""
    except UnrenderableError as wrong:
        return Content(text=""), policy, str(wrong.args[0])


async def _is_ordered(session: CatalogueSession, action_id: str, fingerprint: str) -> bool:
    """Whether the same was ordered before. Raises a 422 `Problem` when the key was another order's."""
    known = await session.proof(action_id)
    if known is not None and known != fingerprint:
        raise Problem(422, "idempotency-key-used", "this Idempotency-Key was sent with another request; make a new one for each")
    return known is not None


async def _listed(session: CatalogueSession, name: str) -> HouseAddress:
    """The address of this name. Raises `FaultyError` for one that is not on the list."""
    stored = await session.document("test_addresses", POLICY_KEY)
    listed = HouseAddresses() if stored is None else msgspec.json.decode(stored.body, type=HouseAddresses)
    if name not in listed.addresses:
        known = ", ".join(sorted(listed.addresses))
        raise FaultyError([Fault("/to", f"there is no test address {name!r:.80}", (f"use one of {known}; " if known else "") + LIST)])
    return listed.addresses[name]


def _refuse(reason: str) -> None:
    if reason:
        raise FaultyError(
            [Fault("", f"it would not be sent: {reason}", "POST /v1/templates/{key}:preview shows why; correct the template")]
        )


def _lacks(channel: str, content: Content) -> str:
    return "a mail without a subject" if channel == "email" and not content.subject else ""


async def _keep_pace(session: CatalogueSession, control: Control) -> None:
    """Raises a 429 `Problem` when the hour's are used up."""
    now = control.clock.now()
    ordered = await session.proofs_since(now - HOUR)
    if len(ordered) >= PER_HOUR:
        wait = max(1, ceil((ordered[-PER_HOUR] + HOUR - now).total_seconds()))
        raise Problem(429, "too-many-tests", f"{PER_HOUR} tests were sent within an hour; preview meanwhile", retry_after_seconds=wait)


def _fingerprint(key: str, raw: Any) -> str:
    return hashlib.sha256(msgspec.json.encode([key, raw], order="deterministic")).hexdigest()


def _sees(by: Key) -> bool:
    return by.sees_addresses or "operator" in by.roles


def _masked(listed: HouseAddresses) -> dict[str, HouseAddress]:
    return {name: replace(one, address=MASK) for name, one in listed.addresses.items()}

"""Where providers tell what became of a delivery: signature first, then evidence, taken in once in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

import msgspec
from fastapi import APIRouter, Request, Response
from nextwave_runtime import seen
from nextwave_runtime.clock import WallClock
from nextwave_runtime.database import Database
from nextwave_runtime.problem import Problem

from nextwave_channels import delivery as life
from nextwave_channels import evidence, metrics, signatures, stopping, store
from nextwave_channels.evidence import Evidence

BODY_MAX = 65_536
FIELDS_MAX = 100
Result = Literal["taken", "repeated", "unknown_action", "ignored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What callbacks are verified with. `url` is our public base, as providers were told it."""

    url: str
    twilio_token: str
    mail_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """Takes evidence in."""

    database: Database
    clock: WallClock
    partitions: int

    async def take(self, found: Evidence | None, provider: str) -> Result:
        """Applies one piece of evidence, at most once; unknown actions and statuses are counted and let go, so that nobody retries them."""
        result: Result = "ignored" if found is None else await self._apply(found, provider)
        metrics.CALLBACKS.labels(provider, result).inc()
        return result

    async def _apply(self, found: Evidence, provider: str) -> Result:
        async with self.database.transaction() as connection:
            known = await store.find(connection, found.action_id)
            if known is None:
                return "unknown_action"
            if not await seen.first_time(connection, [f"callback\0{found.event_id}"], self.clock.today()):
                return "repeated"
            now = self.clock.now()
            if found.opted_out:
                said = stopping.opt_out(known.contact, now, f"provider:{provider}")
                await stopping.record_facts(connection, said, now, self.partitions)
            stored = await store.lock_one(connection, found.action_id)
            assert stored is not None
            step = life.learn(stored, found.kind, now, detail=found.detail, provider_id=found.provider_id)
            await store.report(connection, [step] if step else [], self.partitions)
        if step:
            metrics.STEPS.labels(stored.contact.channel, step.delivery.state).inc()
        return "taken"


def router(inbox: Inbox, secrets: Secrets) -> APIRouter:
    """`POST /v1/callbacks/twilio` and `POST /v1/callbacks/mail`."""
    routes = APIRouter(prefix="/v1/callbacks", tags=["callbacks"])

    @routes.post("/twilio", status_code=204)
    async def twilio(request: Request) -> Response:
        body = await _body(request)
        form = _form(body)
        query = request.url.query
        url = f"{secrets.url.rstrip('/')}{request.url.path}" + (f"?{query}" if query else "")
        signature = request.headers.get("x-twilio-signature", "")
        if not signatures.is_from_twilio(signature, secrets.twilio_token, url, form):
            raise _wrong_signature("twilio")
        await inbox.take(evidence.of_twilio(request.query_params.get("action", ""), dict(form)), "twilio")
        return Response(status_code=204)

    @routes.post("/mail", status_code=204)
    async def mail(request: Request) -> Response:
        body = await _body(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not signatures.is_standard_webhook(headers, body, secrets.mail_secret, inbox.clock.wall()):
            raise _wrong_signature("mail")
        try:
            event = msgspec.json.decode(body, type=evidence.MailEvent)
        except msgspec.MsgspecError as wrong:
            raise Problem(400, "invalid-callback", f"the body is no mail callback: {wrong}") from wrong
        await inbox.take(evidence.of_mail(event, headers["webhook-id"]), "mail")
        return Response(status_code=204)

    return routes


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_MAX:
            raise Problem(413, "too-large", f"a callback has at most {BODY_MAX} bytes")
    return body


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError as wrong:
        raise Problem(400, "invalid-callback", "the body is no form that can be read") from wrong


def _wrong_signature(provider: str) -> Problem:
    metrics.CALLBACKS.labels(provider, "refused").inc()
    return Problem(403, "wrong-signature", "the signature does not hold for this URL and body; check secret and public URL on both sides")

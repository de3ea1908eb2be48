"""The SMS and voice provider: Twilio-shaped `Messages.json` and `Calls.json`, answered as the fault menu says."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from collections.abc import AsyncIterator, Mapping
from email.utils import formatdate
from typing import Literal
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from nextwave_local.simulator.connections import reset_peer
from nextwave_local.simulator.faults import Fault
from nextwave_local.simulator.posts import Message, links_in
from nextwave_local.simulator.world import World

BODY_MAX = 65_536
LONGEST_SILENCE_SECONDS = 600.0
JSON = "application/json"


def routes(world: World) -> list[Route]:
    """The provider's API."""

    async def messages(request: Request) -> Response:
        return await _create(world, request, "sms")

    async def calls(request: Request) -> Response:
        return await _create(world, request, "call")

    prefix = "/2010-04-01/Accounts/{account}"
    return [
        Route(f"{prefix}/Messages.json", messages, methods=["POST"]),
        Route(f"{prefix}/Calls.json", calls, methods=["POST"]),
    ]


async def _create(world: World, request: Request, kind: Literal["sms", "call"]) -> Response:
    expected = base64.b64encode(f"{world.doors.twilio_account}:{world.doors.twilio_token}".encode()).decode()
    given = request.headers.get("authorization", "").removeprefix("Basic ")
    if not hmac.compare_digest(given, expected) or request.path_params["account"] != world.doors.twilio_account:
        return _problem(401, 20003, "Authenticate")
    body = await request.body()
    if len(body) > BODY_MAX:
        return _problem(413, 20413, "Request too large")
    form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    if not form.get("To") or not form.get("From"):
        return _problem(400, 21201, "A 'To' and a 'From' number are required")
    message = _message(world, kind, form)
    verdict = world.receive(message, body)
    return await _answer(request, verdict.fault, _resource(message, form, world.doors.twilio_account))


def _message(world: World, kind: Literal["sms", "call"], form: Mapping[str, str]) -> Message:
    callback = form.get("StatusCallback", "")
    sid = f"{'SM' if kind == 'sms' else 'CA'}{uuid4().hex}"
    action_id = parse_qs(urlsplit(callback).query).get("action", [sid])[0]
    text = form.get("Body", "")
    return Message(
        kind=kind,
        action_id=action_id,
        to=form["To"],
        sender=form["From"],
        sid=sid,
        callback_url=callback,
        links=links_in(text, world.doors.ingest_url),
    )


def _resource(message: Message, form: Mapping[str, str], account: str) -> bytes:
    body = {"sid": message.sid, "account_sid": account, "status": "queued", "to": message.to, "from": message.sender}
    if message.kind == "sms":
        body |= {"body": form.get("Body", ""), "num_segments": str(1 + len(form.get("Body", "")) // 160), "direction": "outbound-api"}
    return msgspec.json.encode(body)


async def _answer(request: Request, fault: Fault | None, resource: bytes) -> Response:
    taken = Response(resource, 201, media_type=JSON)
    if fault is None:
        return taken
    match fault.kind:
        case "refuse" | "throttle" | "unavailable":
            taken = _refusal(fault)
        case "accept_then_reset" | "accept_then_timeout" | "half_open":
            await _silence(0.0 if fault.kind == "accept_then_reset" else fault.seconds)
            _drop(request)
        case "slow_first_byte":
            await _silence(fault.seconds)
        case "slow_body":
            return StreamingResponse(_slowly(resource, fault.seconds), 201, media_type=JSON)
        case "wrong_content_type":
            return Response(resource, 201, media_type="text/html")
        case "truncated_json":
            return Response(resource[: len(resource) // 2], 201, media_type=JSON)
    return taken


def _refusal(fault: Fault) -> Response:
    if fault.kind == "throttle":
        after = formatdate(time.time() + fault.seconds, usegmt=True) if fault.as_date else str(max(1, round(fault.seconds)))
        return _problem(429, 20429, "Too Many Requests", {"retry-after": after})
    if fault.kind == "unavailable":
        return _problem(fault.status or 503, fault.code or 20503, "Service Unavailable")
    return _problem(fault.status or 400, fault.code or 21211, "Invalid 'To' Phone Number")


async def _silence(seconds: float) -> None:
    await asyncio.sleep(min(seconds, LONGEST_SILENCE_SECONDS))


async def _slowly(resource: bytes, seconds: float) -> AsyncIterator[bytes]:
    pieces = 10
    size = -(-len(resource) // pieces)
    for start in range(0, len(resource), size):
        yield resource[start : start + size]
        await asyncio.sleep(min(seconds, LONGEST_SILENCE_SECONDS) / pieces)


def _drop(request: Request) -> None:
    if request.client is not None:
        reset_peer((request.client.host, request.client.port))


def _problem(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    body = msgspec.json.encode({"code": code, "message": message, "more_info": "", "status": status})
    return Response(body, status, media_type=JSON, headers=dict(headers or {}))

"""Somebody's system that takes our webhooks, as the Standard Webhooks specification tells consumers to: signature, time, then the id once.

`PUT /webhooks/{name}` with `{"secret": "whsec_..."}` opens one, `POST /webhooks/{name}` is its address, `GET` shows what came.
Those of the local stack's own channels are open from the start.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from nextwave_runtime.problem import FieldError, Problem
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nextwave_local.layout import ENDPOINTS
from nextwave_local.simulator import signatures
from nextwave_local.simulator.answering import Manners, Refusal, answer, as_json, understood
from nextwave_local.simulator.message import Message
from nextwave_local.simulator.world import World

BODY_MAX = 20_480
"""The specification's advice for what a payload may be."""
TOLERANCE_SECONDS = 300
KEPT_MAX = 1000
SEEN_MAX = 100_000
RECEIVERS_MAX = 1000


class Opening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With which secret our webhooks to it are signed; several while it is rotated, separated by spaces."""

    secret: str

    def __post_init__(self) -> None:
        for secret in self.secret.split() or [""]:
            try:
                whole = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
            except binascii.Error:
                whole = b""
            if not secret.startswith("whsec_") or not 24 <= len(whole) <= 64:
                raise ValueError("secret must be whsec_ and the base64 of 24 to 64 bytes")


@dataclass
class Receiver:
    """One consumer. `seen`: the last ids that it took in."""

    secrets: list[str]
    seen: dict[str, None] = field(default_factory=dict)
    came: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_MAX))


def routes(world: World) -> list[Route]:
    """The consumers' doors."""
    secrets = world.doors.endpoint_secret.split()
    receivers = {name: Receiver(secrets) for name in ENDPOINTS if secrets}

    async def receiver(request: Request) -> Response:
        name = request.path_params["name"]
        if request.method == "PUT":
            if len(receivers) >= RECEIVERS_MAX and name not in receivers:
                raise Problem(507, "too-many", f"at most {RECEIVERS_MAX} can be open: use one of them again")
            receivers[name] = Receiver(understood(await request.body(), Opening).secret.split())
            return as_json({"name": name, "url": str(request.url)}, 201)
        if name not in receivers:
            told = FieldError(pointer="/name", detail="open it first: PUT this address with a secret")
            raise Problem(404, "not-found", f"nobody listens at {name}", errors=(told,))
        if request.method == "GET":
            return as_json({"received": list(receivers[name].came)})
        return await _take(world, request, receivers[name])

    return [Route("/webhooks/{name}", receiver, methods=["GET", "PUT", "POST"])]


async def _take(world: World, request: Request, receiver: Receiver) -> Response:
    body = await request.body()
    headers = {name: request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")}
    wrong = _wrong(headers, body, receiver.secrets)
    message = Message(
        provider="webhook", kind="webhook", action_id=_action(body) or headers["id"], to=request.path_params["name"], sid=headers["id"]
    )
    receiver.came.append({"id": headers["id"], "timestamp": headers["timestamp"], "body": body.decode(errors="replace"), "wrong": wrong})
    if wrong:
        world.note(message, body, "refused")
        return _refusal(Refusal(413 if "bytes" in wrong else 401, "not_taken", wrong))
    if headers["id"] in receiver.seen:
        world.note(message, body, "repeated", accepted=True)  # dropped here, but many receivers keep no ids: to them it is a second contact
        return Response(status_code=204)
    verdict = world.receive(message, body)
    if verdict.accepted:
        receiver.seen[headers["id"]] = None
        if len(receiver.seen) > SEEN_MAX:
            del receiver.seen[next(iter(receiver.seen))]
    return await answer(request, verdict.fault, Response(status_code=204), MANNERS)


def _wrong(headers: Mapping[str, str], body: bytes, secrets: list[str]) -> str:
    """What a careful consumer has against it; empty: nothing."""
    stamp = headers["timestamp"]
    if len(body) > BODY_MAX:
        return f"the payload has more than {BODY_MAX} bytes"
    if not headers["id"] or not (stamp.isascii() and stamp.isdigit()):
        return "webhook-id and webhook-timestamp (Unix seconds) are required"
    if abs(time.time() - int(stamp)) > TOLERANCE_SECONDS:
        return "webhook-timestamp is more than five minutes off"
    given = headers["signature"].split()
    valid = [signatures.standard_webhook(headers["id"], int(stamp), body, secret) for secret in secrets]
    if not any(hmac.compare_digest(one.encode(), other.encode()) for one in given for other in valid):
        return "no signature holds for this id, timestamp and body"
    return ""


def _action(body: bytes) -> str:
    """The action that a webhook is about, where it names one."""
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ""
    data = told.get("data", {}) if isinstance(told, dict) else {}
    return str(data.get("action_id", "")) if isinstance(data, dict) else ""


def _refusal(said: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    told = as_json({"error": said.message, "code": said.code}, said.status)
    told.headers.update(headers or {})
    return told


MANNERS = Manners(
    render=_refusal,
    permanent=Refusal(410, "gone", "this address wants no more webhooks"),
    temporary=Refusal(503, "busy", "try again later"),
    throttled=Refusal(429, "too_many_requests", "slow down"),
    unavailable=Refusal(503, "unavailable", "try again later"),
)

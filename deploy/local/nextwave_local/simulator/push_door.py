"""A push service and the browsers behind it: takes VAPID-signed, encrypted pushes (RFC 8030), keeps them, and reads them as browsers do.

`PUT /push/{id}` subscribes a browser and answers with its subscription (as `PushSubscription.toJSON()`); `POST /push/{id}` is its endpoint;
`GET` shows what came, `DELETE` ends the subscription: pushes get 410 from then on. One that never was gets 404.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nextwave_local.simulator.answering import Manners, Refusal, answer, as_json, understood
from nextwave_local.simulator.browser import Keys, NotOpenedError, WrongSenderError, padless, sender_of
from nextwave_local.simulator.message import Message, links_in
from nextwave_local.simulator.world import World

BODY_MAX = 4096
"""What every push service must take (RFC 8030, 7.2), and most take no more."""
KEPT_MAX = 100
BROWSERS_MAX = 50_000


class Subscribing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`application_server_key`: the only sender it will take pushes from (base64url); empty: any."""

    application_server_key: str = ""


@dataclass
class Browser:
    """One subscription. `came`: the last pushes, encrypted as they came."""

    keys: Keys
    sender: str
    gone: bool = False
    came: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_MAX))


def routes(world: World) -> list[Route]:
    """The push service."""
    browsers: dict[str, Browser] = {}

    async def subscription(request: Request) -> Response:
        name = request.path_params["id"]
        if request.method == "PUT":
            wanted = understood(await request.body(), Subscribing)
            if len(browsers) >= BROWSERS_MAX:
                return _refusal(Refusal(507, 0, "no more subscriptions can be kept"))
            keys = Keys(ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16))
            browsers[name] = Browser(keys, wanted.application_server_key)
            shown = {"p256dh": padless(keys.public), "auth": padless(keys.auth)}
            return as_json({"endpoint": _endpoint(request), "expirationTime": None, "keys": shown}, 201)
        browser = browsers.get(name)
        if browser is None:
            return _refusal(Refusal(404, 0, "no such subscription"))
        if request.method == "DELETE":
            browser.gone = True
            return Response(status_code=204)
        if request.method == "GET":
            return as_json({"gone": browser.gone, "received": list(browser.came)})
        return await _push(world, request, browser)

    return [Route("/push/{id}", subscription, methods=["GET", "PUT", "POST", "DELETE"])]


async def _push(world: World, request: Request, browser: Browser) -> Response:
    body = await request.body()
    if browser.gone:
        return _refusal(Refusal(410, 0, "the subscription has ended"))
    no = _objection(request, body, browser)
    if no is not None:
        return _refusal(no)
    text, unread = _read(browser.keys, body)
    message = Message(
        provider="push",
        kind="webpush",
        action_id=_action(text) or request.headers.get("topic", "") or f"nameless-{uuid4().hex}",
        to=request.path_params["id"],
        sid=uuid4().hex,
        links=links_in(text, world.doors.ingest_url),
    )
    verdict = world.receive(message, body)
    if verdict.accepted:
        headers = {name: request.headers.get(name, "") for name in ("ttl", "topic", "urgency")}
        browser.came.append({"id": message.sid, "body": padless(body), "text": text, "unread": unread, "headers": headers})
    taken = Response(status_code=201, headers={"location": f"{_endpoint(request)}/messages/{message.sid}"})
    return await answer(request, verdict.fault, taken, MANNERS)


def _objection(request: Request, body: bytes, browser: Browser) -> Refusal | None:
    """What a push service has against a request (RFC 8030, 8188, 8292)."""
    if len(body) > BODY_MAX:
        return Refusal(413, 0, f"a push has at most {BODY_MAX} bytes")
    if not request.headers.get("ttl", "").isdecimal():
        return Refusal(400, 0, "TTL is required: seconds")
    if body and request.headers.get("content-encoding", "") != "aes128gcm":
        return Refusal(415, 0, "Content-Encoding must be aes128gcm")
    try:
        sender = sender_of(request.headers.get("authorization", ""), str(request.base_url).rstrip("/"), time.time())
    except WrongSenderError as wrong:
        return Refusal(401, 0, str(wrong))
    if browser.sender and sender != browser.sender:
        return Refusal(403, 0, "the subscription belongs to another application server key")
    return None


def _read(keys: Keys, body: bytes) -> tuple[str, str]:
    """The text as the page gets it, and why it does not get it."""
    try:
        return keys.open(body).decode(errors="replace"), ""
    except NotOpenedError as wrong:
        return "", str(wrong)


def _action(text: str) -> str:
    """The action that a push carries out, where its JSON names one: at the top or in `data`."""
    try:
        told = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return ""
    places = [told, told.get("data")] if isinstance(told, dict) else []
    return next((str(place["action_id"]) for place in places if isinstance(place, dict) and place.get("action_id")), "")


def _endpoint(request: Request) -> str:
    return str(request.url.replace(query=""))


def _refusal(said: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    told = as_json({"code": said.status, "errno": said.code, "message": said.message}, said.status)
    told.headers.update(headers or {})
    return told


MANNERS = Manners(
    render=_refusal,
    permanent=Refusal(410, 106, "the subscription has ended"),
    temporary=Refusal(503, 201, "use exponential back-off to retry"),
    throttled=Refusal(429, 202, "too many requests"),
    unavailable=Refusal(503, 201, "try again later"),
)

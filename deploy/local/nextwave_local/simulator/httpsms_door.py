"""A second SMS provider, of the plain shape that most have: a JSON POST with a bearer token, signed webhooks about what came of it.

`POST /sms/v1/messages` takes `{"to", "from", "text", "reference", "callback_url"}` and answers 202 with `id`, `segments` and `price`;
`GET /sms/v1/messages/{id}` and `GET /sms/v1/messages?reference=...` look up. `reference` is the caller's own name for the message.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from itertools import islice
from typing import Annotated, Any
from uuid import uuid4

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nextwave_local.simulator.answering import Manners, Refusal, answer, as_json
from nextwave_local.simulator.instants import written
from nextwave_local.simulator.message import Message, links_in
from nextwave_local.simulator.records import Record
from nextwave_local.simulator.world import World

BODY_MAX = 65_536
PAGE_MAX = 50
PATH = "/sms/v1/messages"


class Wanted(msgspec.Struct, frozen=True, kw_only=True, rename={"sender": "from"}):
    """A text to send."""

    to: Annotated[str, Meta(pattern=r"^\+[1-9]\d{6,14}$")]
    sender: Annotated[str, Meta(min_length=1, max_length=20)]
    text: Annotated[str, Meta(min_length=1, max_length=1600)]
    reference: Annotated[str, Meta(max_length=200)] = ""
    callback_url: Annotated[str, Meta(max_length=2000)] = ""


def routes(world: World) -> list[Route]:
    """The provider's API."""

    async def collection(request: Request) -> Response:
        if not may(world, request):
            return refusal(Refusal(401, "unauthenticated", "the bearer token is not known"))
        if request.method == "POST":
            return await _create(world, request)
        reference = request.query_params.get("reference", "")
        found = (r for r in world.records.newest_first("httpsms", "sms") if reference in ("", r.message.action_id))
        return as_json({"messages": [_looked_up(world, record) for record in islice(found, PAGE_MAX)]})

    async def single(request: Request) -> Response:
        if not may(world, request):
            return refusal(Refusal(401, "unauthenticated", "the bearer token is not known"))
        record = world.records.of("httpsms", request.path_params["id"])
        return as_json(_looked_up(world, record)) if record else refusal(Refusal(404, "not_found", "no message has this id"))

    return [Route(PATH, collection, methods=["GET", "POST"]), Route(f"{PATH}/{{id}}", single)]


def may(world: World, request: Request) -> bool:
    """Whether the request shows the bearer token."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    return hmac.compare_digest(given.encode(), world.doors.twilio_token.encode())


def refusal(said: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """No, in this provider's words."""
    told = as_json({"error": {"code": said.code, "message": said.message}}, said.status)
    told.headers.update(headers or {})
    return told


async def _create(world: World, request: Request) -> Response:
    body = await request.body()
    if len(body) > BODY_MAX:
        return refusal(Refusal(413, "too_large", f"a request has at most {BODY_MAX} bytes"))
    try:
        wanted = msgspec.json.decode(body, type=Wanted)
    except msgspec.MsgspecError as wrong:
        return refusal(Refusal(400, "invalid_request", str(wrong)))
    message = Message(
        provider="httpsms",
        kind="sms",
        action_id=wanted.reference or f"nameless-{uuid4().hex}",
        to=wanted.to,
        sender=wanted.sender,
        sid=f"msg_{uuid4().hex}",
        callback_url=wanted.callback_url,
        links=links_in(wanted.text, world.doors.ingest_url),
    )
    verdict = world.receive(message, body)
    taken = {**_resource(verdict.message), "status": "queued", "segments": 1 + len(wanted.text) // 160}
    return await answer(request, verdict.fault, as_json(taken, 202), MANNERS)


def _resource(message: Message) -> dict[str, Any]:
    price = {"amount": message.price, "currency": message.currency}
    return {"id": message.sid, "to": message.to, "from": message.sender, "reference": message.action_id, "price": price}


def _looked_up(world: World, record: Record) -> dict[str, Any]:
    return {**_resource(record.message), "status": record.status(world.now()), "taken_at": written(record.taken_at)}


MANNERS = Manners(
    render=refusal,
    permanent=Refusal(422, "invalid_recipient", "nobody has this number"),
    temporary=Refusal(503, "route_down", "the route to this network is down"),
    throttled=Refusal(429, "too_many_requests", "slow down"),
    unavailable=Refusal(503, "unavailable", "try again later"),
)

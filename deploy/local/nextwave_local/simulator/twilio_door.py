"""The SMS and voice provider: Twilio-shaped `Messages.json` and `Calls.json`, to create and to look up, answered as the menu says."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from email.utils import format_datetime
from itertools import islice
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nextwave_local.simulator.answering import Manners, Refusal, answer, as_json
from nextwave_local.simulator.message import Message, links_in
from nextwave_local.simulator.records import Record
from nextwave_local.simulator.world import World

BODY_MAX = 65_536
PAGE_MAX = 50
Phone = Literal["sms", "call"]
RESOURCES: Mapping[Phone, str] = {"sms": "Messages", "call": "Calls"}


def routes(world: World) -> list[Route]:
    """The provider's API: POST creates, GET of one by its sid, GET of the newest (`To` narrows them)."""
    found = []
    for kind, name in RESOURCES.items():
        path = f"/2010-04-01/Accounts/{{account}}/{name}"
        found.append(Route(f"{path}.json", _collection(world, kind), methods=["GET", "POST"]))
        found.append(Route(f"{path}/{{sid}}.json", _single(world, kind)))
    return found


def _collection(world: World, kind: Phone) -> Any:
    async def collection(request: Request) -> Response:
        if not _is_account(world, request):
            return _problem(Refusal(401, 20003, "Authenticate"))
        if request.method == "POST":
            return await _create(world, request, kind)
        to = request.query_params.get("To", "")
        found = (r for r in world.records.newest_first("twilio", kind) if to in ("", r.message.to))
        return as_json({RESOURCES[kind].lower(): [_looked_up(world, record) for record in islice(found, PAGE_MAX)]})

    return collection


def _single(world: World, kind: Phone) -> Any:
    async def single(request: Request) -> Response:
        if not _is_account(world, request):
            return _problem(Refusal(401, 20003, "Authenticate"))
        record = world.records.of("twilio", request.path_params["sid"])
        if record is None or record.message.kind != kind:
            return _problem(Refusal(404, 20404, "The requested resource was not found"))
        return as_json(_looked_up(world, record))

    return single


async def _create(world: World, request: Request, kind: Phone) -> Response:
    body = await request.body()
    if len(body) > BODY_MAX:
        return _problem(Refusal(413, 20413, "Request too large"))
    form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    if not form.get("To") or not form.get("From"):
        return _problem(Refusal(400, 21201, "A 'To' and a 'From' number are required"))
    verdict = world.receive(_message(world, kind, form), body)
    resource = {**_resource(world, verdict.message), "status": "queued", "price": None}
    if kind == "sms":
        text = form.get("Body", "")
        resource |= {"body": text, "num_segments": str(1 + len(text) // 160), "direction": "outbound-api"}
    return await answer(request, verdict.fault, as_json(resource, 201), MANNERS)


def _is_account(world: World, request: Request) -> bool:
    account = world.doors.twilio_account
    expected = base64.b64encode(f"{account}:{world.doors.twilio_token}".encode()).decode()
    given = request.headers.get("authorization", "").removeprefix("Basic ")
    return hmac.compare_digest(given.encode(), expected.encode()) and request.path_params["account"] == account


def _message(world: World, kind: Phone, form: Mapping[str, str]) -> Message:
    callback = form.get("StatusCallback", "")
    sid = f"{'SM' if kind == 'sms' else 'CA'}{uuid4().hex}"
    return Message(
        provider="twilio",
        kind=kind,
        action_id=parse_qs(urlsplit(callback).query).get("action", [sid])[0],
        to=form["To"],
        sender=form["From"],
        sid=sid,
        callback_url=callback,
        links=links_in(form.get("Body", ""), world.doors.ingest_url),
    )


def _resource(world: World, message: Message) -> dict[str, Any]:
    return {"sid": message.sid, "account_sid": world.doors.twilio_account, "to": message.to, "from": message.sender, "price_unit": "USD"}


def _looked_up(world: World, record: Record) -> dict[str, Any]:
    """As it stands now; the price is what was charged, a negative number."""
    created = format_datetime(record.taken_at, usegmt=True)
    status = record.status(world.now())
    return {**_resource(world, record.message), "status": status, "price": f"-{record.message.price}", "date_created": created}


def _problem(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    told = as_json({"code": refusal.code, "message": refusal.message, "more_info": "", "status": refusal.status}, refusal.status)
    told.headers.update(headers or {})
    return told


MANNERS = Manners(
    render=_problem,
    permanent=Refusal(400, 21211, "Invalid 'To' Phone Number"),
    temporary=Refusal(429, 21611, "This 'From' number has exceeded the maximum number of queued messages"),
    throttled=Refusal(429, 20429, "Too Many Requests"),
    unavailable=Refusal(503, 20503, "Service Unavailable"),
)

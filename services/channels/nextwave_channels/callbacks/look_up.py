"""Asking Twilio what became of a delivery that nobody is sure of: evidence only where the answer can be about nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from fastapi import APIRouter
from nextwave_runtime.auth import Keyring
from nextwave_runtime.database import Statement
from nextwave_runtime.problem import Problem
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import store
from nextwave_channels.access import Operator, guarded
from nextwave_channels.adapters.twilio import Account
from nextwave_channels.callbacks.evidence import Evidence
from nextwave_channels.callbacks.inbox import Inbox
from nextwave_channels.callbacks.twilio import of_status
from nextwave_channels.delivery import Delivery
from nextwave_channels.http_port import NotSentError, Reply, UnclearError

Shape = TypeVar("Shape")
RESOURCES = {"sms": "Messages", "call": "Calls"}
PAGE = 20
"""Messages that are looked at; where there are more, nothing is certain."""
_RIVALS = Statement(
    "select count(*) from deliveries where action_id <> :action_id and channel = :channel and (provider_id = any(cast(:sids as text[]))"
    " or (state in ('unknown', 'sending') and subjects && cast(:subjects as text[])))"
)


class Found(msgspec.Struct, frozen=True):
    """A message or call as Twilio shows it."""

    sid: str
    status: str
    body: str | None = None
    direction: str = ""
    error_code: int | str | None = None
    answered_by: str | None = None


class Listed(msgspec.Struct, frozen=True):
    """The newest messages to a number."""

    messages: list[Found]
    next_page_uri: str | None = None


class LookUp(BaseModel):
    """`found`: the provider has it, and the delivery learned `kind`. `nothing`: not there (yet). `unclear`: there may be others like it."""

    result: Literal["found", "nothing", "unclear"]
    kind: str = ""
    provider_id: str = ""


class Fetch(Protocol):
    """What is needed of HTTP."""

    async def get(self, url: str, headers: Mapping[str, str]) -> Reply:
        """GETs a URL. Raises `NotSentError` and `UnclearError`."""


@dataclass(frozen=True, slots=True)
class Twilio:
    """Looks messages and calls up in one account."""

    account: Account
    http: Fetch

    async def one(self, channel: str, sid: str) -> Found | None:
        """The message or call of a SID; None where there is none. Raises a 503 `Problem`."""
        body = await self._get(f"{RESOURCES[channel]}/{quote(sid, safe='')}.json")
        return None if body is None else _decoded(body, Found)

    async def texts(self, delivery: Delivery) -> list[Found] | None:
        """The texts of a delivery's words to its number since the day before it was due; None where there are too many to tell."""
        since = (delivery.due_at - timedelta(days=1)).date().isoformat()
        query = urlencode({"To": delivery.contact.address, "DateSent>": since, "PageSize": PAGE})
        listed = _decoded(await self._get(f"Messages.json?{query}") or b"", Listed)
        if listed.next_page_uri or len(listed.messages) >= PAGE:
            return None
        words = delivery.contact.content.text.strip()
        return [one for one in listed.messages if one.direction.startswith("outbound") and (one.body or "").strip() == words]

    async def _get(self, path: str) -> bytes | None:
        account = self.account
        url = f"{account.url.rstrip('/')}/2010-04-01/Accounts/{quote(account.sid, safe='')}/{path}"
        basic = b64encode(f"{account.sid}:{account.token}".encode()).decode()
        try:
            reply = await self.http.get(url, {"authorization": f"Basic {basic}"})
        except (NotSentError, UnclearError) as error:
            raise _away(str(error)) from error
        if reply.status not in {200, 404}:
            raise _away(f"it answered {reply.status}")
        return reply.body if reply.status == 200 else None


def router(inbox: Inbox, keyring: Keyring, provider: Twilio) -> APIRouter:
    """`POST /v1/deliveries/{action_id}:look-up`."""
    routes = guarded(keyring, "/v1")

    @routes.post("/deliveries/{action_id}:look-up", tags=["deliveries"])
    async def look_delivery_up(action_id: str, _key: Operator) -> LookUp:
        async with inbox.database.transaction() as connection:
            delivery = await store.find(connection, action_id)
        if delivery is None:
            raise Problem(404, "not-found", f"there is no delivery of action {action_id!r}")
        if delivery.state != "unknown":
            raise Problem(409, "not-unknown", f"only an unknown delivery is looked up, this one is {delivery.state}")
        if fault := _not_askable(delivery):
            raise Problem(409, "not-askable", fault)
        found = await _found(provider, delivery)
        if found is None:
            return LookUp(result="unclear")
        async with inbox.database.transaction() as connection:
            if not delivery.provider_id and found and await _rivals(connection, delivery, found):
                return LookUp(result="unclear")
        evidence = _evidence(delivery, found)
        if evidence is None:
            return LookUp(result="nothing")
        await inbox.take(evidence, "twilio")
        return LookUp(result="found", kind=evidence.kind, provider_id=evidence.provider_id)

    return routes


def _not_askable(delivery: Delivery) -> str:
    """Why Twilio cannot be asked about it; empty: it can."""
    channel = delivery.contact.channel
    if channel not in RESOURCES or (channel == "call" and not delivery.provider_id):
        return "no provider can be asked about it: a text, or a call whose SID is known, can be looked up"
    if delivery.provider != "twilio":
        went = f"it went by {delivery.provider}" if delivery.provider else "it is not known that it went by Twilio"
        return f"only Twilio can be asked, and {went}; a callback can settle it"
    return ""


async def _found(provider: Twilio, delivery: Delivery) -> Sequence[Found] | None:
    """What it can be; None where nobody can tell."""
    if delivery.provider_id:
        one = await provider.one(delivery.contact.channel, delivery.provider_id)
        return [one] if one else []
    texts = await provider.texts(delivery)
    return None if texts is None or len(texts) > 1 else texts


async def _rivals(connection: AsyncConnection, delivery: Delivery, found: Sequence[Found]) -> bool:
    """Whether another delivery has this message, or may have it: one to the same person that nobody is sure of, either."""
    contact = delivery.contact
    bound = {
        "action_id": contact.action_id,
        "channel": contact.channel,
        "sids": [one.sid for one in found],
        "subjects": list(contact.subjects),
    }
    ((count,),) = await _RIVALS.rows(connection, bound)
    return bool(count)


def _evidence(delivery: Delivery, found: Sequence[Found]) -> Evidence | None:
    if not found:
        return None
    one, is_call = found[0], delivery.contact.channel == "call"
    form = {"ErrorCode": str(one.error_code or "")}
    form |= {"CallSid": one.sid, "CallStatus": one.status} if is_call else {"MessageSid": one.sid, "MessageStatus": one.status}
    return of_status(delivery.contact.action_id, form | {"AnsweredBy": one.answered_by or ""})


def _decoded(body: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise _away("its answer cannot be read") from wrong


def _away(what: str) -> Problem:
    return Problem(503, "unavailable", f"the provider could not be asked: {what}", retry_after_seconds=10)

"""What a shop's pages ask for to be able to receive web push: our public key, and a token for their subscription."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from nextwave_runtime.auth import Keyring
from nextwave_runtime.problem import FieldError, Problem
from pydantic import BaseModel

from nextwave_channels.claiming import Desk
from nextwave_channels.onsite import reports
from nextwave_channels.public import body_of, described, public, source_of
from nextwave_channels.push import endpoints
from nextwave_channels.push.sealing import Sender
from nextwave_channels.push.subscriptions import Subscriptions, token_of

FULL_RETRY_SECONDS = 3600


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """The browser's keys, base64url."""

    p256dh: str
    auth: str


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A `PushSubscription` as `toJSON()` gives it, and the source's write key."""

    write_key: str
    endpoint: str
    keys: Keys


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Which browser reports: the token that came with the message, which nobody else could read."""

    token: str


class ServerKey(BaseModel):
    """What `pushManager.subscribe` takes as `applicationServerKey`."""

    key: str


class DeviceToken(BaseModel):
    """What the page names as its device token (`context.device.token`)."""

    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What the routes work with. `sender` is None where this deployment sends no web push; `subscriptions_max` is of one source."""

    subscriptions: Subscriptions
    sender: Sender | None
    subscriptions_max: int
    desk: Desk
    loopback: bool
    keyring: Keyring
    identifier_key: bytes

    def sender_or_problem(self) -> Sender:
        """Raises a 404 `Problem`."""
        if self.sender is None:
            raise Problem(404, "not-found", "this deployment sends no web push; NEXTWAVE_WEBPUSH_KEY turns it on")
        return self.sender


def router(counter: Counter) -> APIRouter:
    """`GET /v1/webpush/key`, `POST /v1/webpush/subscriptions`, and what service workers report."""
    routes = public("/v1/webpush", "webpush")

    @routes.get("/key")
    async def read_key(write_key: Annotated[str, Query(max_length=256)]) -> ServerKey:
        source_of(counter.keyring, write_key)
        return ServerKey(key=counter.sender_or_problem().public)

    @routes.post("/subscriptions", status_code=201, openapi_extra=described(Subscription))
    async def subscribe(request: Request) -> DeviceToken:
        wanted = await body_of(request, Subscription)
        source = source_of(counter.keyring, wanted.write_key)
        counter.sender_or_problem()
        try:
            recipient = endpoints.recipient(wanted.endpoint, wanted.keys.p256dh, wanted.keys.auth, loopback=counter.loopback)
        except endpoints.UnusableError as wrong:
            error = FieldError(pointer=wrong.pointer, detail=str(wrong))
            raise Problem(422, "invalid-request", str(wrong), errors=(error,)) from wrong
        token = token_of(recipient.endpoint, counter.identifier_key)
        if not await counter.subscriptions.put(token, recipient, source, counter.subscriptions_max):
            most = f"the source has {counter.subscriptions_max} subscriptions, which is the most"
            detail = f"{most}: raise NEXTWAVE_WEBPUSH_SUBSCRIPTIONS_MAX, or wait until unused ones are dropped"
            raise Problem(429, "too-many-requests", detail, retry_after_seconds=FULL_RETRY_SECONDS)
        return DeviceToken(token=token)

    @routes.post("/{action_id}:{said}", status_code=204, openapi_extra=described(Holder))
    async def report(action_id: str, said: Literal["shown", "clicked"], request: Request) -> Response:
        holder = await body_of(request, Holder)
        if not await reports.take(counter.desk, action_id, said, lambda c: c.channel == "webpush" and c.address == holder.token):
            raise Problem(404, "not-found", "this browser was sent no such message")
        return Response(status_code=204)

    return routes

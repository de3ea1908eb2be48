"""Where providers call back, one door each: `POST /v1/callbacks/{provider}`; and where people see what fits no delivery yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from nextwave_runtime.auth import Keyring
from nextwave_runtime.problem import Problem
from pydantic import BaseModel

from nextwave_channels import metrics
from nextwave_channels.access import READS, guarded
from nextwave_channels.callbacks import unmatched
from nextwave_channels.callbacks.evidence import Posted, Provider, UnreadableError, WrongSecretError, WrongSignatureError
from nextwave_channels.callbacks.inbox import Inbox
from nextwave_channels.callbacks.sns import AwayError

Name = Annotated[str, Path(pattern=r"^[a-z]{1,20}$", description="twilio, sendgrid, mailgun, postmark, ses, dsn, or generic (also: mail)")]


class UnmatchedRow(BaseModel):
    """A provider's word on a delivery that is not known. `tries`: how often it was looked for since."""

    id: int
    provider: str
    action_id: str
    provider_id: str
    kind: str
    detail: str
    received_at: datetime
    tries: int


class UnmatchedPage(BaseModel):
    """A page of callbacks that fit no delivery, newest first; `cursor` leads to the next one."""

    callbacks: list[UnmatchedRow]
    cursor: int | None


def router(inbox: Inbox, providers: Mapping[str, Provider], url: str) -> APIRouter:
    """The doors of the providers that are set up. `url` is our public base, as providers were told it."""
    routes = APIRouter(prefix="/v1/callbacks", tags=["callbacks"])

    @routes.post("/{provider}", status_code=204)
    async def take_callback(provider: Name, request: Request) -> Response:
        door = providers.get(provider)
        if door is None:
            raise Problem(404, "not-found", f"callbacks of {provider!r} are not set up; here are: {', '.join(sorted(providers)) or 'none'}")
        posted = await _posted(request, door.body_max, url, inbox.clock.wall())
        try:
            found = await door.read(posted)
        except WrongSignatureError:
            raise _refused(provider, 403, "the signature does not hold for this URL, body and time; check secret and public URL") from None
        except WrongSecretError:
            raise _refused(provider, 401, "bring the secret of this door as a Basic password or a Bearer token") from None
        except UnreadableError as wrong:
            metrics.CALLBACKS.labels(provider, "unreadable").inc()
            raise Problem(400, "invalid-callback", str(wrong)) from wrong
        except AwayError as wrong:
            raise Problem(503, "unavailable", f"the signature cannot be checked now: {wrong}", retry_after_seconds=10) from wrong
        await inbox.take_all(found, provider)
        return Response(status_code=204)

    return routes


def listing(inbox: Inbox, keyring: Keyring) -> APIRouter:
    """`GET /v1/unmatched-callbacks`."""
    routes = guarded(keyring, "/v1")

    @routes.get("/unmatched-callbacks", tags=["callbacks"], dependencies=READS)
    async def list_unmatched_callbacks(
        limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None
    ) -> UnmatchedPage:
        async with inbox.database.transaction() as connection:
            rows = await unmatched.page(connection, cursor, limit + 1)
        shown = [UnmatchedRow.model_validate(row) for row in rows[:limit]]
        return UnmatchedPage(callbacks=shown, cursor=shown[-1].id if len(rows) > limit else None)

    return routes


async def _posted(request: Request, body_max: int, url: str, wall: float) -> Posted:
    query = request.url.query
    return Posted(
        url=f"{url.rstrip('/')}{request.url.path}" + (f"?{query}" if query else ""),
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await _body(request, body_max),
        wall=wall,
    )


async def _body(request: Request, body_max: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > body_max:
            raise Problem(413, "too-large", f"a callback of this provider has at most {body_max} bytes")
    return bytes(body)


def _refused(provider: str, status: int, detail: str) -> Problem:
    metrics.CALLBACKS.labels(provider, "refused").inc()
    return Problem(status, "wrong-signature" if status == 403 else "unauthenticated", detail)

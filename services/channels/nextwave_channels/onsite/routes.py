"""What a shop's pages ask for: the script, the stream of invitations, and to say what became of one."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from nextwave_contracts.identifiers import InvalidIdentifierError, blind, identifier
from nextwave_runtime.auth import Keyring
from nextwave_runtime.health import Receive, Scope, Send
from nextwave_runtime.problem import FieldError, Problem

from nextwave_channels.claiming import Desk
from nextwave_channels.onsite import events, reports
from nextwave_channels.onsite.handing import CHANNEL, HandingOut
from nextwave_channels.onsite.pages import DrainingError, Page
from nextwave_channels.public import ANYWHERE, body_of, described, public, source_of

ANONYMOUS_MIN = 16
"""Characters of an anonymous id: who can name it is taken for the visitor, so it must be none that can be guessed."""
HEARTBEAT_SECONDS = 5.0
"""Also how long a revoked write key may go on listening."""
RETRY_MS = (1_000, 5_000)
"""After how long a page comes again: drawn, so that all pages of a replica that stops do not come at once."""
DISPLACED_RETRY_MS = (30_000, 60_000)
"""The same of a page that had to make room: at once it would only take the room of the next one."""
DRAINING_RETRY_SECONDS = 30
_STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no", **ANYWHERE}
_SCRIPT = {"cache-control": "public, max-age=300", "x-content-type-options": "nosniff", "cross-origin-resource-policy": "cross-origin"}


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """By what a page shows whose it is: the source's write key, and the visitor's random id."""

    write_key: str
    anonymous_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Porch:
    """What the routes work with. `ingest_url`: where pages report clicks as touchpoints."""

    desk: Desk
    handing: HandingOut
    keyring: Keyring
    identifier_key: bytes
    ingest_url: str

    def subject_of(self, visitor: Visitor) -> str:
        """The visitor's keyed hash. Raises a 401 or 422 `Problem`.

        The anonymous id is enough, since a contact names all of its customer's identifiers; a customer id, which may be guessed, is not.
        """
        source_of(self.keyring, visitor.write_key)
        try:
            name = identifier("anonymous_id", visitor.anonymous_id)
            fault = "" if len(visitor.anonymous_id) >= ANONYMOUS_MIN else f"send a random id of at least {ANONYMOUS_MIN} characters"
        except InvalidIdentifierError as wrong:
            name, fault = "", str(wrong)
        if fault:
            error = FieldError(pointer="/anonymous_id", detail=fault)
            raise Problem(422, "invalid-request", f"anonymous_id: {fault}", errors=(error,))
        return blind(name, self.identifier_key)


class Stream(Response):
    """One page's stream, until the page leaves, is let go, or has taken an invitation."""

    def __init__(self, handing: HandingOut, page: Page, is_welcome: Callable[[], bool]) -> None:
        super().__init__()
        self._handing = handing
        self._page = page
        self._is_welcome = is_welcome

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name.encode(), value.encode()) for name, value in _STREAM.items()]
        leaving = asyncio.create_task(self._left(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async for event in self._events():
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()
            self._handing.let_go(self._page)

    async def _events(self) -> AsyncIterator[bytes]:
        yield events.greeting(random.randint(*RETRY_MS))  # noqa: S311  (it spreads load, nothing is kept secret by it)
        while not self._page.closed and self._is_welcome():
            claimed = await self._page.take(HEARTBEAT_SECONDS)
            if claimed is not None:
                if self._handing.may_go(claimed):
                    yield events.invitation(claimed.contact.action_id, claimed.contact.content)
                return
            if not self._page.closed:
                yield events.HEARTBEAT
        if self._page.displaced:
            yield events.greeting(random.randint(*DISPLACED_RETRY_MS))  # noqa: S311  (as above)

    async def _left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._handing.let_go(self._page)


def router(porch: Porch) -> APIRouter:
    """`/v1/onsite.js`, `/v1/onsite/stream` and the reports."""
    routes = public("/v1", "onsite")
    script = served_script(porch.ingest_url)

    @routes.get("/onsite.js", response_class=Response)
    async def read_script() -> Response:
        return Response(script, media_type="text/javascript", headers=_SCRIPT)

    @routes.get("/onsite/stream", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
    async def listen(
        write_key: Annotated[str, Query(max_length=256)],
        anonymous_id: Annotated[str, Query(max_length=256)],
    ) -> Response:
        subject = porch.subject_of(Visitor(write_key=write_key, anonymous_id=anonymous_id))
        try:
            page = porch.handing.open(subject, source_of(porch.keyring, write_key))
        except DrainingError as stopping:
            detail = "this replica is stopping; come again"
            raise Problem(503, "unavailable", detail, retry_after_seconds=DRAINING_RETRY_SECONDS) from stopping
        return Stream(porch.handing, page, lambda: porch.keyring.write_source(write_key) is not None)

    @routes.post("/onsite/{action_id}:{said}", status_code=204, openapi_extra=described(Visitor))
    async def report(action_id: str, said: reports.Said, request: Request) -> Response:
        subject = porch.subject_of(await body_of(request, Visitor))
        if not await reports.take(porch.desk, action_id, said, lambda contact: contact.channel == CHANNEL and subject in contact.subjects):
            raise Problem(404, "not-found", "this visitor was handed no such invitation")
        return Response(status_code=204)

    return routes


def served_script(ingest_url: str) -> bytes:
    """The shop's script, told where touchpoints are posted."""
    written = files("nextwave_channels.onsite").joinpath("onsite.min.js").read_text("utf-8")
    return written.strip().replace("INGEST", json.dumps(ingest_url.rstrip("/"))[1:-1]).encode()

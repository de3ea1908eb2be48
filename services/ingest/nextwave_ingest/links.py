"""The links in messages we sent: unsubscribe, click, open pixel. A click is a touchpoint, and an unsubscription a stop."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from nextwave_contracts.actions import TEST_CUSTOMER
from nextwave_contracts.identifiers import INTERNAL
from nextwave_contracts.links import InvalidTokenError, Link, verify
from nextwave_runtime.problem import Problem

from nextwave_ingest import metrics
from nextwave_ingest.admission import Report
from nextwave_ingest.doors.exchange import Answer, Request, allow
from nextwave_ingest.occurrence import Occurrence
from nextwave_ingest.reception import Reception

SOURCE = "links"
RECORD_SECONDS = 1.0
"""How long a click or an open waits to be recorded: the person goes on even when our log does not answer."""
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PRIVATE = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex"),
)
_PAGE = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; form-action 'self'; frame-ancestors 'none'"),
)
_HTML = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{0}</title><h1>{0}</h1>{1}</html>"
)
_BUTTON = '<form method="post"><button name="List-Unsubscribe" value="One-Click">Yes, unsubscribe me</button></form>'
_CONFIRM = _HTML.format("Unsubscribe", _BUTTON)
_DONE = _HTML.format("You are unsubscribed", "<p>We will not write to you this way any more.</p>")

_log = structlog.get_logger()


class LinkDoor:
    """`/u/{token}`, `/r/{token}`, `/o/{token}`. `new_id` makes the ids of touchpoints."""

    name = "links"
    headers = _PRIVATE

    def __init__(self, reception: Reception, *, key: bytes, new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._reception = reception
        self._key = key
        self._new_id = new_id

    async def __call__(self, request: Request) -> Answer:
        """Any of the three links; a wrong token is a 404 problem."""
        route, token = request.path[1:2], request.path[3:]
        try:
            link = verify(token, self._key)
        except InvalidTokenError as wrong:
            raise Problem(404, "unknown-link", str(wrong)) from wrong
        return await {"u": self._unsubscribe, "r": self._follow, "o": self._open}[route](request, link)

    async def _unsubscribe(self, request: Request, link: Link) -> Answer:
        """GET asks only, since link scanners follow every link; POST is RFC 8058's one click, and the page's button."""
        allow(request, "GET", "HEAD", "POST")
        if request.method == "POST":
            scope = {"channel": link.channel, "purpose": link.purpose}
            await self._record(request, self._new_id(), "consent.withdrawn", link, scope)
            return Answer(200, _DONE.encode(), _PAGE)
        return _unless_head(request, Answer(200, _CONFIRM.encode(), _PAGE))

    async def _follow(self, request: Request, link: Link) -> Answer:
        allow(request, "GET", "HEAD")
        if not link.target.startswith(("https://", "http://")):
            raise Problem(404, "unknown-link", "this link leads nowhere")
        if request.method == "GET":
            await self._try_to_record(request, self._new_id(), "email.clicked", link)
        return Answer(302, b"", ((b"location", link.target.encode()),))

    async def _open(self, request: Request, link: Link) -> Answer:
        """A message is opened once: mail programs fetch the pixel again and again."""
        allow(request, "GET", "HEAD")
        if request.method == "GET":
            await self._try_to_record(request, f"opened/{link.action_id}" if link.action_id else self._new_id(), "email.opened", link)
        return _unless_head(request, Answer(200, PIXEL, ((b"content-type", b"image/gif"),)))

    async def _try_to_record(self, request: Request, name: str, kind: str, link: Link) -> None:
        try:
            async with asyncio.timeout(RECORD_SECONDS):
                await self._record(request, name, kind, link, {"url": link.target} if link.target else {})
        except (Problem, TimeoutError) as error:
            metrics.LINKS_LOST.labels(kind).inc()
            _log.warning("link_not_recorded", kind=kind, error=repr(error))

    async def _record(self, request: Request, name: str, kind: str, link: Link, more: dict[str, Any]) -> None:
        if link.customer_id.startswith(TEST_CUSTOMER):
            return  # whoever tries a text out is no customer
        at = self._reception.now()
        report = Report(
            id=name,
            source=SOURCE,
            type=kind,
            identifiers=(INTERNAL + link.customer_id,),
            occurrence=Occurrence(at, suspect=False),
            data={"action_id": link.action_id, "channel": link.channel, "purpose": link.purpose} | more,
        )
        await self._reception.take(request, [self._reception.admit(report, at)], door=self.name, source=SOURCE, at=at)


def _unless_head(request: Request, answer: Answer) -> Answer:
    return answer._replace(body=b"") if request.method == "HEAD" else answer

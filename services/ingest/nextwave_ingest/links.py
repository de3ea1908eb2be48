"""The links in messages we sent: unsubscribe, click, open pixel. A click is a touchpoint, and an unsubscription a stop."""

from __future__ import annotations

import asyncio
import base64
import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, quote

import structlog
from nextwave_contracts.actions import TEST_CUSTOMER
from nextwave_contracts.identifiers import INTERNAL
from nextwave_contracts.links import InvalidTokenError, Link, verify
from nextwave_runtime.problem import Problem

from nextwave_ingest import link_pages, metrics
from nextwave_ingest.admission import Report
from nextwave_ingest.doors.exchange import Answer, Request, allow
from nextwave_ingest.occurrence import Occurrence
from nextwave_ingest.reception import Reception

SOURCE = "links"
FORM_BYTES_MAX = 8 * 1024
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
_WEB_ADDRESS = re.compile(r"https?://[^/?#@\\\s\x00-\x20\x7f]+(?:[/?#][^\\\s\x00-\x20\x7f]*)?", re.IGNORECASE)
"""A host by http or https, nothing before it that looks like one, and no character that ends a header or that browsers read as a slash."""

_log = structlog.get_logger()


class LinkDoor:
    """`/u/{token}`, `/r/{token}`, `/o/{token}`. `new_id` makes the ids of touchpoints."""

    name = "links"
    headers = _PRIVATE

    def __init__(self, reception: Reception, *, keys: Sequence[bytes], new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._reception = reception
        self._keys = keys
        self._new_id = new_id

    async def __call__(self, request: Request) -> Answer:
        """Any of the three links. Who follows them are people, so what is wrong is said on a page."""
        route, token = request.path[1:2], request.path[3:]
        try:
            link = verify(token, *self._keys)
        except InvalidTokenError:
            return _unknown(request)
        return await {"u": self._unsubscribe, "r": self._follow, "o": self._open}[route](request, link)

    async def _unsubscribe(self, request: Request, link: Link) -> Answer:
        """GET asks only, since link scanners follow every link; POST is RFC 8058's one click, and the page's buttons."""
        allow(request, "GET", "HEAD", "POST")
        language = _language(request)
        if request.method != "POST":
            return _unless_head(request, Answer(200, link_pages.asking(language, any_kind=not link.purpose), _PAGE))
        purpose = "" if await _wants_all(request) else link.purpose
        scope = {"channel": link.channel, "purpose": purpose}
        try:
            await self._record(request, self._new_id(), "consent.withdrawn", link, scope)
        except Problem as problem:
            later = tuple((name.encode(), value.encode()) for name, value in problem.headers().items())
            return Answer(problem.status, link_pages.later(language, any_kind=not link.purpose), _PAGE + later)
        return Answer(200, link_pages.done(language, any_kind=not purpose), _PAGE)

    async def _follow(self, request: Request, link: Link) -> Answer:
        allow(request, "GET", "HEAD")
        place = destination(link.target)
        if place is None:
            return _unknown(request)
        if request.method == "GET":
            await self._try_to_record(request, self._new_id(), "email.clicked", link)
        return Answer(302, b"", ((b"location", place),))

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


def destination(target: str) -> bytes | None:
    """A signed target as the value of a Location header, or None where it is no plain web address. PURE."""
    return quote(target, safe="%/:=&?~#+!$,;'@()*[]").encode() if _WEB_ADDRESS.fullmatch(target) else None


async def _wants_all(request: Request) -> bool:
    """Whether the page's second button was pressed. Any other body, or none, is the one click: who posts here wants to be left alone."""
    sent = parse_qs((await request.body(FORM_BYTES_MAX)).decode("latin-1"))
    return sent.get(link_pages.FIELD) == [link_pages.ALL]


def _language(request: Request) -> str:
    return link_pages.language_of(request.header(b"accept-language").decode("latin-1"))


def _unknown(request: Request) -> Answer:
    return _unless_head(request, Answer(404, link_pages.unknown(_language(request)), _PAGE))


def _unless_head(request: Request, answer: Answer) -> Answer:
    return answer._replace(body=b"") if request.method == "HEAD" else answer

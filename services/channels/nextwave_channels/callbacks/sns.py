"""SES's door: checks what SNS signed with SNS's own certificate, and confirms subscriptions of our own topics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol
from weakref import WeakValueDictionary

import structlog

from nextwave_channels.callbacks import ses
from nextwave_channels.callbacks.evidence import Evidence, Posted, WrongSignatureError
from nextwave_channels.http_port import NotSentError, Reply, UnclearError

CERTIFICATES_MAX = 16
FAILED_SECONDS = 15.0
"""How long it is remembered that a certificate was not to be had: less than the 20 s after which SNS sends a message again."""
FAILED_MAX = 256
FETCHES_MAX = 8
"""Certificates that are fetched at the same time: anybody may name some that are none."""
_log = structlog.get_logger()


class AwayError(Exception):
    """SNS itself could not be asked; the callback is to be sent again."""


class Fetch(Protocol):
    """What is needed of HTTP."""

    async def get(self, url: str) -> Reply:
        """GETs a URL, without following redirects. Raises `NotSentError` and `UnclearError`."""


class Ses:
    """`topics`: the ARNs of the topics that SES tells for us; messages of other topics are nobody's. Raises `ValueError` for no ARN."""

    body_max = 524_288

    def __init__(self, topics: frozenset[str], http: Fetch) -> None:
        self._regions = {topic: ses.region_of(topic) for topic in topics}
        self._http = http
        self._certificates = Certificates(http)

    async def read(self, posted: Posted) -> Sequence[Evidence | None]:
        """See `Provider`. Nothing is fetched but for our own topics, and only from SNS in their region. Raises also `AwayError`."""
        notice = ses.read_notice(posted.body)
        region = self._regions.get(notice.topic_arn)
        if region is None or not ses.may_fetch(notice.signing_cert_url, region, certificate=True):
            raise WrongSignatureError
        certificate = await self._certificates.get(notice.signing_cert_url, posted.wall)
        if not ses.is_from_sns(notice, certificate, posted.wall):
            raise WrongSignatureError
        match notice.type:
            case "Notification":
                return ses.of_notice(notice)
            case "SubscriptionConfirmation":
                await self._confirm(notice, region)
            case "UnsubscribeConfirmation":
                _log.warning("sns_topic_unsubscribed", topic=notice.topic_arn)
        return []

    async def _confirm(self, notice: ses.Notice, region: str) -> None:
        if not ses.may_fetch(notice.subscribe_url, region, certificate=False):
            raise WrongSignatureError
        await _get(self._http, notice.subscribe_url)
        _log.info("sns_subscription_confirmed", topic=notice.topic_arn)


class Certificates:
    """What was fetched, or could not be. One that is known waits for nothing; each other one is fetched once at a time."""

    def __init__(self, http: Fetch) -> None:
        self._http = http
        self._known: dict[str, bytes] = {}
        self._failed: dict[str, tuple[float, str]] = {}
        self._fetching: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, url: str, wall: float) -> bytes:
        """The certificate at a URL of SNS; `wall` is now (Unix seconds). Raises `AwayError`."""
        if url in self._known:
            return self._known[url]
        if url not in self._fetching and len(self._fetching) >= FETCHES_MAX:
            raise AwayError("too many certificates are asked for")
        async with self._fetching.setdefault(url, asyncio.Lock()):
            if url not in self._known:
                await self._fetch(url, wall)
            return self._known[url]

    async def _fetch(self, url: str, wall: float) -> None:
        failed_at, why = self._failed.pop(url, (float("-inf"), ""))
        if abs(wall - failed_at) < FAILED_SECONDS:
            self._failed[url] = (failed_at, why)
            raise AwayError(why)
        try:
            found = await _get(self._http, url)
        except AwayError as away:
            if len(self._failed) >= FAILED_MAX:
                del self._failed[next(iter(self._failed))]
            self._failed[url] = (wall, str(away))
            raise
        if len(self._known) >= CERTIFICATES_MAX:
            self._known.clear()
        self._known[url] = found


async def _get(http: Fetch, url: str) -> bytes:
    try:
        reply = await http.get(url)
    except (NotSentError, UnclearError) as error:
        raise AwayError(str(error)) from error
    if reply.status != 200:
        raise AwayError(f"SNS answered {reply.status}")
    return reply.body

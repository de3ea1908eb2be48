"""SES's door: checks what SNS signed with SNS's own certificate, and confirms subscriptions of our own topics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from nextwave_channels.callbacks import ses
from nextwave_channels.callbacks.evidence import Evidence, Posted, WrongSignatureError
from nextwave_channels.http_port import NotSentError, Reply, UnclearError

CERTIFICATES_MAX = 16
_log = structlog.get_logger()


class AwayError(Exception):
    """SNS itself could not be asked; the callback is to be sent again."""


class Fetch(Protocol):
    """What is needed of HTTP."""

    async def get(self, url: str) -> Reply:
        """GETs a URL, without following redirects. Raises `NotSentError` and `UnclearError`."""


class Ses:
    """`topics`: the ARNs of the topics that SES tells for us; messages of other topics are nobody's."""

    body_max = 524_288

    def __init__(self, topics: frozenset[str], http: Fetch) -> None:
        self._topics = topics
        self._http = http
        self._certificates: dict[str, bytes] = {}
        self._one_at_a_time = asyncio.Lock()

    async def read(self, posted: Posted) -> Sequence[Evidence | None]:
        """See `Provider`. Nothing is fetched but for our own topics, and only from SNS. Raises also `AwayError`."""
        notice = ses.read_notice(posted.body)
        if notice.topic_arn not in self._topics or not ses.may_fetch(notice.signing_cert_url, certificate=True):
            raise WrongSignatureError
        if not ses.is_from_sns(notice, await self._certificate(notice.signing_cert_url), posted.wall):
            raise WrongSignatureError
        match notice.type:
            case "Notification":
                return ses.of_notice(notice)
            case "SubscriptionConfirmation":
                await self._confirm(notice)
            case "UnsubscribeConfirmation":
                _log.warning("sns_topic_unsubscribed", topic=notice.topic_arn)
        return []

    async def _certificate(self, url: str) -> bytes:
        async with self._one_at_a_time:
            if url not in self._certificates:
                found = await self._get(url)
                if len(self._certificates) >= CERTIFICATES_MAX:
                    self._certificates.clear()
                self._certificates[url] = found
            return self._certificates[url]

    async def _confirm(self, notice: ses.Notice) -> None:
        if not ses.may_fetch(notice.subscribe_url, certificate=False):
            raise WrongSignatureError
        await self._get(notice.subscribe_url)
        _log.info("sns_subscription_confirmed", topic=notice.topic_arn)

    async def _get(self, url: str) -> bytes:
        try:
            reply = await self._http.get(url)
        except (NotSentError, UnclearError) as error:
            raise AwayError(str(error)) from error
        if reply.status != 200:
            raise AwayError(f"SNS answered {reply.status}")
        return reply.body

"""Web push (RFC 8030): each message sealed for one browser and posted to its push service."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric import ec
from nextwave_contracts.actions import UNHELD_PURPOSES, Contact
from nextwave_runtime.database import UNAVAILABLE

from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.http_port import HttpPort, NoDestinationError, NotSentError, Reply, UnclearError
from nextwave_channels.onsite.events import invitation_of
from nextwave_channels.push import sealing
from nextwave_channels.push.sealing import Recipient, Sender

TTL_MAX = 28 * 86_400
"""Seconds that push services keep a message at most."""
GONE = frozenset({404, 410})
"""The subscription has ended, or never was (RFC 8030, 7.3)."""
_log = structlog.get_logger()


class Known(Protocol):
    """What is needed of the stored subscriptions."""

    async def find(self, token: str) -> Recipient | None:
        """The subscription of a token."""

    async def is_alive(self, token: str) -> None:
        """A message for it was taken."""

    async def remove(self, token: str) -> None:
        """Forgets it."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What the service worker gets, as JSON. `url` is where a click leads, empty where the text has no link; `token` is its own."""

    action_id: str
    token: str
    title: str
    body: str
    url: str
    language: str


class WebPush:
    """Sends to whatever browser the contact's device token stands for. `wall_of`: the wall's seconds at a business instant."""

    def __init__(
        self, http: HttpPort, known: Known, sender: Sender, wall: Callable[[], float], wall_of: Callable[[datetime], float]
    ) -> None:
        self._http = http
        self._known = known
        self._sender = sender
        self._wall = wall
        self._wall_of = wall_of

    async def send(self, contact: Contact) -> Answer:
        """See `Adapter`. A token without a subscription bounces, so that the address is not used again."""
        try:
            recipient = await self._known.find(contact.address)
        except UNAVAILABLE as error:
            return Refused(detail=f"the subscription could not be read: {type(error).__name__}", permanent=False)
        if recipient is None:
            return Refused(detail="no subscription has this device token", permanent=True, bounced=True)
        try:
            body = sealing.seal(_text(contact), recipient, ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(sealing.SALT_BYTES))
        except ValueError as wrong:
            return Refused(detail=str(wrong), permanent=True)
        return await self._post(contact, recipient, body)

    async def close(self) -> None:
        """See `Adapter`."""
        await self._http.close()

    async def _post(self, contact: Contact, recipient: Recipient, body: bytes) -> Answer:
        headers = {
            "authorization": self._sender.word(recipient.endpoint, self._wall()),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(int(max(0.0, min(self._wall_of(contact.not_after) - self._wall(), TTL_MAX)))),
            "topic": topic_of(contact.run_id),
            "urgency": "high" if contact.purpose in UNHELD_PURPOSES else "normal",
        }
        try:
            answer = interpret(await self._http.post(recipient.endpoint, body, headers))
        except NoDestinationError as error:
            answer = Refused(detail=f"no push service: {error}", permanent=True, bounced=True)
        except NotSentError as error:
            return Refused(detail=f"not reached: {error}", permanent=False, down=True)
        except UnclearError as error:
            return Uncertain(detail=f"no answer: {error}")
        await self._learn(contact.address, answer)
        return answer

    async def _learn(self, token: str, answer: Answer) -> None:
        """A subscription that stays behind only costs another refusal, and one that lives is heard of again."""
        try:
            if isinstance(answer, Accepted):
                await self._known.is_alive(token)
            elif isinstance(answer, Refused) and answer.bounced:
                await self._known.remove(token)
        except UNAVAILABLE as error:
            _log.warning("subscription_not_marked", error=repr(error)[:300])


def interpret(reply: Reply) -> Answer:
    """2xx: taken. 404 and 410: the browser is gone. 429 and 503: not now. Other 3xx and 4xx: never. Other 5xx: nobody knows."""
    detail = f"{reply.status} {reply.body[:120].decode(errors='replace')}".strip()
    if 200 <= reply.status < 300:
        return Accepted()
    if reply.status in GONE:
        return Refused(detail=detail, permanent=True, bounced=True)
    if reply.status in {429, 503}:
        return Refused(detail=detail, permanent=False, retry_after_seconds=reply.retry_after_seconds, down=reply.status == 503)
    if 300 <= reply.status < 500:
        return Refused(detail=detail, permanent=True)
    return Uncertain(detail=detail)


def topic_of(run_id: str) -> str:
    """Of a run's messages the push service keeps the newest: who was away for a week need not read all of them (RFC 8030, 5.4)."""
    return base64.urlsafe_b64encode(hashlib.sha256(run_id.encode()).digest()[:24]).decode()


def _text(contact: Contact) -> bytes:
    shown = invitation_of(contact.content)
    url = shown.links[0].url if shown.links else ""
    words = {"title": shown.title, "body": shown.text, "url": url, "language": shown.language}
    return msgspec.json.encode(Notice(action_id=contact.action_id, token=contact.address, **words))

"""Contacts to an endpoint of the house by Standard Webhooks: for `webhook`, `chat` and `letter`, each its own endpoint.

An unsure answer leaves the delivery `unknown`, as on every channel: the id that stays the same would let a receiver that keeps ids drop
a repetition, but not every receiver does, and nobody outside can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from nextwave_contracts.actions import Contact

from nextwave_channels.adapters.twilio import DENIED
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.endpoints.message import BODY_MAX, Endpoint, body_of, headers_of
from nextwave_channels.http_port import HttpPort, NotSentError, Reply, UnclearError

AWAY = DENIED | {503}
NOT_NOW = AWAY | {408, 425, 429}
GONE = 410


class Health(Protocol):
    """What is remembered of endpoints. It neither raises nor waits: what became of a contact does not depend on it."""

    def disabled(self, channel: str) -> str:
        """Why nothing goes to the channel's endpoint; empty: it goes."""

    def succeeded(self, channel: str) -> None:
        """It took a contact."""

    def failed(self, channel: str, why: str, *, gone: bool) -> None:
        """It did not. `gone`: and says that it never will again."""


class Webhook:
    """Posts to one endpoint. `wall` gives Unix seconds."""

    def __init__(self, http: HttpPort, endpoint: Endpoint, health: Health, wall: Callable[[], float]) -> None:
        self._http = http
        self._endpoint = endpoint
        self._health = health
        self._wall = wall

    async def send(self, contact: Contact) -> Answer:
        """See `Adapter`."""
        disabled = self._health.disabled(self._endpoint.channel)
        if disabled:
            return Refused(detail=f"the endpoint is disabled: {disabled}", permanent=True)
        body = body_of(contact)
        if len(body) > BODY_MAX:
            return Refused(detail=f"the message is {len(body)} bytes, of at most {BODY_MAX}", permanent=True)
        try:
            reply = await self._http.post(self._endpoint.url, body, headers_of(contact, body, self._endpoint.secrets, self._wall()))
        except NotSentError as error:
            return self._heard(Refused(detail=f"not reached: {error}", permanent=False, down=True))
        except UnclearError as error:
            return self._heard(Uncertain(detail=f"no answer: {error}"))
        return self._heard(interpret(reply), gone=reply.status == GONE)

    async def close(self) -> None:
        """See `Adapter`."""
        await self._http.close()

    def _heard(self, answer: Answer, *, gone: bool = False) -> Answer:
        if isinstance(answer, Accepted):
            self._health.succeeded(self._endpoint.channel)
        else:
            self._health.failed(self._endpoint.channel, answer.detail, gone=gone)
        return answer


def interpret(reply: Reply) -> Answer:
    """2xx: accepted. 408, 425, 429, 503, and 401 and 403, which speak of the house's settings: not now. Other 3xx and 4xx: never.

    Other 5xx: the receiver itself does not know.
    """
    detail = f"{reply.status}"
    if 200 <= reply.status < 300:
        return Accepted()
    if reply.status in NOT_NOW:
        return Refused(detail=detail, permanent=False, retry_after_seconds=reply.retry_after_seconds, down=reply.status in AWAY)
    if 300 <= reply.status < 500:
        return Refused(detail=detail, permanent=True)
    return Uncertain(detail=detail)

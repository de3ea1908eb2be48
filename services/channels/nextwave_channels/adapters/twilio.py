"""What SMS and calls share at Twilio-shaped providers: the request, and what its answer means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

import msgspec

from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.http_port import HttpPort, NotSentError, Reply, UnclearError, post_form

OPTED_OUT = 21610
"""Twilio's error code for a recipient who has replied STOP."""


class _Body(msgspec.Struct):
    """The fields that are read of an answer, successful or not."""

    sid: str | None = None
    code: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where and as whom requests are made. `callbacks_url` is our public base for status callbacks."""

    url: str
    sid: str
    token: str
    callbacks_url: str

    def callback(self, action_id: str) -> str:
        """The status callback of one action."""
        return f"{self.callbacks_url.rstrip('/')}/v1/callbacks/twilio?action={quote(action_id, safe='')}"


async def create(http: HttpPort, account: Account, resource: str, form: Sequence[tuple[str, str]]) -> Answer:
    """Creates a `Messages` or `Calls` resource, once."""
    url = f"{account.url.rstrip('/')}/2010-04-01/Accounts/{quote(account.sid, safe='')}/{resource}.json"
    try:
        return interpret(await post_form(http, url, form, (account.sid, account.token)))
    except NotSentError as error:
        return Refused(detail=f"not reached: {error}", permanent=False, down=True)
    except UnclearError as error:
        return Uncertain(detail=f"no answer: {error}")


def interpret(reply: Reply) -> Answer:
    """See `judge`; error 21610 is a stop."""
    body = _body(reply.body)
    answer = judge(reply, f"{body.code or ''} {body.message or ''}", provider_id=body.sid or "")
    return replace(answer, opted_out=True) if isinstance(answer, Refused) and answer.permanent and body.code == OPTED_OUT else answer


def judge(reply: Reply, words: str, *, provider_id: str) -> Answer:
    """2xx: accepted. 429 and 503: not now. Other 3xx and 4xx: never. Other 5xx: the provider itself does not know."""
    detail = f"{reply.status} {words}".strip()
    if 200 <= reply.status < 300:
        return Accepted(provider_id=provider_id)
    if reply.status in {429, 503}:
        return Refused(detail=detail, permanent=False, retry_after_seconds=reply.retry_after_seconds, down=reply.status == 503)
    if 300 <= reply.status < 500:
        return Refused(detail=detail, permanent=True)
    return Uncertain(detail=detail)


def _body(raw: bytes) -> _Body:
    try:
        return msgspec.json.decode(raw, type=_Body)
    except msgspec.MsgspecError:
        return _Body()

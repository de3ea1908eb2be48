"""What SMS and calls share at Twilio-shaped providers: the request, and what its answer means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.callbacks.evidence import as_text
from nextwave_channels.http_port import HttpPort, NotSentError, Reply, UnclearError, post_form

OPTED_OUT = "21610"
"""Twilio's error code for a recipient who has replied STOP."""
DEAD_NUMBERS = frozenset({"21211", "21614", "30005", "30006", "13224"})
"""Error codes of numbers that do not exist, or cannot take this kind of contact: invalid, no mobile, unknown handset, landline."""
DENIED = frozenset({401, 403})
"""Statuses that speak of us and not of the contact: a credential is wrong, was replaced, or may do no more."""
NO_SUCH_ACCOUNT = 404


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
    """See `judge`; what is refused with error 21610 is a stop, with one of `DEAD_NUMBERS` it has bounced."""
    said = reply.fields
    sid, code, message = (as_text(said.get(name)) for name in ("sid", "code", "message"))
    answer = judge(reply, f"{code} {message}", provider_id=sid)
    if isinstance(answer, Refused) and answer.permanent:
        return replace(answer, opted_out=code == OPTED_OUT, bounced=code in DEAD_NUMBERS)
    return answer


def judge(reply: Reply, words: str, *, provider_id: str) -> Answer:
    """2xx: accepted. 429 and 503: not now. 401, 403 and 404: not before our settings or the account are put right.

    Other 3xx and 4xx: never. Other 5xx: the provider itself does not know.
    """
    detail = f"{reply.status} {words.strip()}".strip()
    if 200 <= reply.status < 300:
        return Accepted(provider_id=provider_id)
    if reply.status in {429, 503}:
        return Refused(detail=detail, permanent=False, retry_after_seconds=reply.retry_after_seconds, down=reply.status == 503)
    if reply.status in DENIED or reply.status == NO_SUCH_ACCOUNT:
        return Refused(detail=f"{detail}; check the provider's URL and credentials", permanent=False, down=True)
    if 300 <= reply.status < 500:
        return Refused(detail=detail, permanent=True)
    return Uncertain(detail=detail)

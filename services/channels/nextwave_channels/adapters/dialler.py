"""A call centre's dialler over HTTP: entries are put on its lists, and taken off again while they were not called.

`PUT {url}/lists/{list}/entries/{entry}` with `{"to", "reference", "script", "priority", "not_after", "callback_url"}`: 2xx, it has the
entry (the same again changes nothing); 429 and 503, not now; other 4xx, never. `DELETE` of the same: 2xx, it will not be called; 409, it
was called; 404, it is not known. Outcomes come to `callback_url` (see `callbacks.dialler`) or are reported like those of pulled calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from urllib.parse import quote

import msgspec

from nextwave_channels.adapters.twilio import judge
from nextwave_channels.answers import Answer, Refused, Uncertain
from nextwave_channels.callbacks.evidence import as_text
from nextwave_channels.delivery import Delivery
from nextwave_channels.http_port import NotSentError, Reply, UnclearError

Retracted = Literal["gone", "called", "unsure"]
"""`gone`: it surely was not called, and will not be."""


class Asking(Protocol):
    """What the dialler needs of HTTP."""

    async def ask(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        """One request. Raises `NotSentError` and `UnclearError`."""

    async def close(self) -> None:
        """Closes every connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where the dialler is, what lets us in, and where it tells what became of calls."""

    url: str
    token: str
    callbacks_url: str


class Dialler:
    """One dialler's lists."""

    def __init__(self, http: Asking, door: Door) -> None:
        self._http = http
        self._door = door

    async def push(self, delivery: Delivery, call_before: datetime) -> Answer:
        """Puts a call on its list; `provider_id` of the answer is the entry's name there."""
        contact = delivery.contact
        body = {
            "to": contact.address,
            "reference": contact.action_id,
            "script": contact.content.text,
            "priority": contact.value,
            "not_after": call_before,
            "callback_url": self._door.callbacks_url,
        }
        try:
            reply = await self._http.ask("PUT", self._url(delivery), msgspec.json.encode(body), self._headers())
        except NotSentError as error:
            return Refused(detail=f"not reached: {error}", permanent=False, down=True)
        except UnclearError as error:
            return Uncertain(detail=f"no answer: {error}")
        return judge(reply, _words(reply), provider_id=_name(delivery))

    async def retract(self, delivery: Delivery) -> Retracted:
        """Takes a call off its list. What the dialler does not know is gone only if it once had it: a push may still be on its way."""
        try:
            reply = await self._http.ask("DELETE", self._url(delivery), None, self._headers())
        except (NotSentError, UnclearError):
            return "unsure"
        if 200 <= reply.status < 300 or (reply.status in {404, 410} and delivery.provider_id):
            return "gone"
        return "called" if reply.status == 409 else "unsure"

    async def close(self) -> None:
        """Lets go of its connections."""
        await self._http.close()

    def _url(self, delivery: Delivery) -> str:
        name = quote(delivery.contact.list or "calls", safe="")
        return f"{self._door.url.rstrip('/')}/lists/{name}/entries/{quote(_name(delivery), safe='')}"

    def _headers(self) -> dict[str, str]:
        return {"content-type": "application/json", "authorization": f"Bearer {self._door.token}"}


def _name(delivery: Delivery) -> str:
    """An entry that was taken off does not come back: each try has its own."""
    return f"{delivery.contact.action_id}.{delivery.attempt}"


def _words(reply: Reply) -> str:
    said = reply.fields
    return as_text(said.get("detail") or said.get("title") or said.get("message"))

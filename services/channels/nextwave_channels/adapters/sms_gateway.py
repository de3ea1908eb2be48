"""Text messages over a plain HTTP gateway: a JSON POST with an idempotency key, so that it fits most providers without code of its own."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from nextwave_contracts.actions import Contact

from nextwave_channels.adapters.twilio import judge
from nextwave_channels.answers import Answer, Refused, Uncertain
from nextwave_channels.callbacks.evidence import as_object, as_text
from nextwave_channels.http_port import HttpPort, NotSentError, UnclearError


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Where texts are posted, and the header that lets us in. `callbacks_url`: where it tells what became of them, empty: nowhere."""

    url: str
    header: str
    secret: str
    sender: str
    callbacks_url: str


class SmsGateway:
    """Posts texts: `{"to", "from", "text", "reference", "callback_url"}`, `reference` and the idempotency key being the action's id."""

    def __init__(self, http: HttpPort, gateway: Gateway) -> None:
        self._http = http
        self._gateway = gateway

    async def send(self, contact: Contact) -> Answer:
        """See `Adapter`."""
        gateway = self._gateway
        body = {"to": contact.address, "from": gateway.sender, "text": contact.content.text, "reference": contact.action_id}
        told = {"callback_url": gateway.callbacks_url} if gateway.callbacks_url else {}
        headers = {"content-type": "application/json", "idempotency-key": contact.action_id, gateway.header: gateway.secret}
        try:
            reply = await self._http.post(gateway.url, msgspec.json.encode({**body, **told}), headers)
        except NotSentError as error:
            return Refused(detail=f"not reached: {error}", permanent=False, down=True)
        except UnclearError as error:
            return Uncertain(detail=f"no answer: {error}")
        said = reply.fields
        wrong = as_object(said.get("error")) or {"message": said.get("error"), **said}
        words = f"{as_text(wrong.get('code'))} {as_text(wrong.get('message'))}"
        return judge(reply, words, provider_id=as_text(said.get("id")))

    async def close(self) -> None:
        """See `Adapter`."""
        await self._http.close()

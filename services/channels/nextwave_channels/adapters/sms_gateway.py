"""Text messages over a plain HTTP gateway: a JSON POST with an idempotency key, so that it fits most providers without code of its own."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from nextwave_contracts.actions import Contact

from nextwave_channels.adapters.twilio import judge
from nextwave_channels.answers import Answer, Refused, Uncertain
from nextwave_channels.http_port import HttpPort, NotSentError, UnclearError


class _Error(msgspec.Struct):
    code: str | int | None = None
    message: str | None = None


class _Body(msgspec.Struct):
    """The fields that are read of an answer: the message's id, or what is wrong (in `error`, or flat)."""

    id: str | None = None
    error: _Error | None = None
    code: str | int | None = None
    message: str | None = None


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
        said = _body(reply.body)
        wrong = said.error or _Error(code=said.code, message=said.message)
        return judge(reply, f"{wrong.code or ''} {wrong.message or ''}", provider_id=said.id or "")

    async def close(self) -> None:
        """See `Adapter`."""
        await self._http.close()


def _body(raw: bytes) -> _Body:
    try:
        return msgspec.json.decode(raw, type=_Body)
    except msgspec.MsgspecError:
        return _Body()

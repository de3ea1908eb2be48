"""Text messages over a Twilio-shaped API."""

from __future__ import annotations

from nextwave_contracts.actions import Contact

from nextwave_channels.adapters import twilio
from nextwave_channels.answers import Answer
from nextwave_channels.http_port import HttpPort


class Sms:
    """Sends texts from one number or sender name."""

    def __init__(self, http: HttpPort, account: twilio.Account, sender: str) -> None:
        self._http = http
        self._account = account
        self._sender = sender

    async def send(self, contact: Contact) -> Answer:
        """See `Adapter`."""
        form = [
            ("To", contact.address),
            ("From", self._sender),
            ("Body", contact.content.text),
            ("StatusCallback", self._account.callback(contact.action_id)),
        ]
        return await twilio.create(self._http, self._account, "Messages", form)

    async def close(self) -> None:
        """See `Adapter`."""
        await self._http.close()

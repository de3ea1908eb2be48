"""Outbound calls over a Twilio-shaped API: the text is spoken, and the provider says whether a human answered."""

from __future__ import annotations

from xml.sax.saxutils import escape

from nextwave_contracts.actions import Contact

from nextwave_channels.adapters import twilio
from nextwave_channels.answers import Answer
from nextwave_channels.http_port import HttpPort


class Call:
    """Calls from one number."""

    def __init__(self, http: HttpPort, account: twilio.Account, caller: str) -> None:
        self._http = http
        self._account = account
        self._caller = caller

    async def send(self, contact: Contact) -> Answer:
        """See `Adapter`."""
        events = ("initiated", "ringing", "answered", "completed")
        form = [
            ("To", contact.address),
            ("From", self._caller),
            ("Twiml", f"<Response><Say>{escape(contact.content.text)}</Say></Response>"),
            ("MachineDetection", "Enable"),
            ("StatusCallback", self._account.callback(contact.action_id)),
            *(("StatusCallbackEvent", event) for event in events),
        ]
        return await twilio.create(self._http, self._account, "Calls", form)

    async def close(self) -> None:
        """See `Adapter`."""
        await self._http.close()

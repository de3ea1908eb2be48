"""E-mail over SMTP. Connections are reused; whether a mail was taken is decided by the phase in which a connection broke."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import aiosmtplib
from aiosmtplib import SMTP, SMTPException, SMTPResponseException
from nextwave_contracts.actions import Contact

from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.mail import Letterhead, UnsendableError, compose, recipient

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 10.0
GOODBYE = 421
"""The server is closing, or takes no mail now (RFC 5321)."""
IDLE_MAX = 16
"""Connections kept for the next mail."""


class Email:
    """Hands mails to one SMTP server, `host:port`."""

    def __init__(
        self,
        server: str,
        letterhead: Letterhead,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        host, _, port = server.rpartition(":")
        self._host, self._port = host, int(port)
        self._letterhead = letterhead
        self._answer_seconds = answer_seconds
        self._wall = wall
        self._idle: list[SMTP] = []

    async def send(self, contact: Contact) -> Answer:
        """See `Adapter`. Until the message is written, a lost connection is a sure refusal; from then on it is uncertain."""
        try:
            message = compose(contact, self._letterhead, self._wall()).as_bytes()
        except UnsendableError as error:
            return Refused(detail=str(error), permanent=True)
        try:
            client = await self._open_envelope(recipient(contact.address).addr_spec)
        except (SMTPException, OSError) as error:
            return _refused(error)
        return await self._hand_over(client, message)

    async def close(self) -> None:
        """See `Adapter`."""
        while self._idle:
            self._idle.pop().close()

    async def _open_envelope(self, address: str) -> SMTP:
        """A connection on which sender and recipient were taken. A kept connection that turns out dead is replaced, once."""
        if self._idle:
            client = self._idle.pop()
            try:
                return await self._address(client, address)
            except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError):
                client.close()
        client = SMTP(hostname=self._host, port=self._port, timeout=CONNECT_SECONDS, local_hostname="localhost")
        await client.connect()
        return await self._address(client, address)

    async def _address(self, client: SMTP, address: str) -> SMTP:
        try:
            await client.mail(_address_of(self._letterhead.sender))
            await client.rcpt(address)
        except SMTPResponseException as error:
            await self._keep(client, error.code)
            raise
        except BaseException:
            client.close()
            raise
        return client

    async def _hand_over(self, client: SMTP, message: bytes) -> Answer:
        try:
            reply = await client.data(message, timeout=self._answer_seconds)
        except SMTPResponseException as error:
            await self._keep(client, error.code)
            return _refused(error) if error.code >= 400 else Uncertain(detail=f"answered {error.code}")
        except (SMTPException, OSError) as error:
            client.close()
            return Uncertain(detail=f"no answer: {type(error).__name__}")
        except BaseException:
            client.close()
            raise
        await self._keep(client, reply.code)
        return Accepted(provider_id=reply.message)

    async def _keep(self, client: SMTP, code: int) -> None:
        """Keeps a connection that can carry another mail: the envelope is cleared, the server has not said goodbye."""
        if code == GOODBYE or len(self._idle) >= IDLE_MAX:
            client.close()
            return
        try:
            if code >= 400:
                await client.rset()
        except (SMTPException, OSError):
            client.close()
        else:
            self._idle.append(client)


def _refused(error: Exception) -> Refused:
    if isinstance(error, SMTPResponseException):
        return Refused(detail=f"{error.code} {error.message}", permanent=error.code >= 500, down=error.code == GOODBYE)
    return Refused(detail=f"not reached: {type(error).__name__}", permanent=False, down=True)


def _address_of(sender: str) -> str:
    """The bare address of `Name <address>` or `address`."""
    return sender.rpartition("<")[2].rstrip("> ")

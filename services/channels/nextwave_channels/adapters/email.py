"""E-mail over SMTP. Connections are reused; whether a mail was taken is decided by the phase in which a connection broke."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import aiosmtplib
from aiosmtplib import SMTP, SMTPException, SMTPResponseException
from nextwave_contracts.actions import Contact

from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.mail import Letterhead, UnsendableError, compose, recipient, return_path

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 10.0
GOODBYE = 421
"""The server is closing, or takes no mail now (RFC 5321)."""
IDLE_MAX = 16
"""Connections kept for the next mail."""
Security = Literal["auto", "starttls", "tls", "none"]
_QUEUED_AS = re.compile(r"queued as <?([^\s<>]+)>?", re.IGNORECASE)
_NAMED = re.compile(r"^(?:2\.\d\.\d )?ok:? <?([\w.-]{16,}(?:@[\w.-]+)?)>?$", re.IGNORECASE)
_NO_SUCH_ADDRESS = re.compile(r"(?<![\d.])5\.1\.[1236](?![\d.])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a server lets us in. `auto` encrypts where the server offers it; a password is only ever sent encrypted."""

    security: Security = "auto"
    user: str = ""
    password: str = ""
    ca_file: str = ""

    def __post_init__(self) -> None:
        if self.user and self.security not in {"starttls", "tls"}:
            raise ValueError("a mail server's password needs smtp_security starttls or tls")

    def connection(self, host: str, port: int) -> SMTP:
        """A connection that is not opened yet."""
        return SMTP(
            hostname=host,
            port=port,
            timeout=CONNECT_SECONDS,
            local_hostname="localhost",
            use_tls=self.security == "tls",
            start_tls={"starttls": True, "auto": None}.get(self.security, False),
            tls_context=ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None,
            username=self.user or None,
            password=self.password if self.user else None,
        )


ANYBODY = Access()


class Email:
    """Hands mails to one SMTP server, `host:port`."""

    def __init__(
        self,
        server: str,
        letterhead: Letterhead,
        *,
        access: Access = ANYBODY,
        answer_seconds: float = ANSWER_SECONDS,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        host, _, port = server.rpartition(":")
        self._host, self._port = host, int(port)
        self._letterhead = letterhead
        self._access = access
        self._answer_seconds = answer_seconds
        self._wall = wall
        self._idle: list[SMTP] = []

    async def send(self, contact: Contact) -> Answer:
        """See `Adapter`. Until the message is written, a lost connection is a sure refusal; from then on it is uncertain."""
        try:
            message = self._write(contact)
        except UnsendableError as error:
            return Refused(detail=str(error), permanent=True)
        envelope = return_path(contact, self._letterhead), recipient(contact.address).addr_spec
        try:
            client = await self._open_envelope(envelope)
        except (SMTPException, OSError) as error:
            return _refused(error)
        return await self._hand_over(client, message)

    async def close(self) -> None:
        """See `Adapter`."""
        while self._idle:
            self._idle.pop().close()

    def _write(self, contact: Contact) -> bytes:
        now = self._wall()
        mail = compose(contact, self._letterhead, now).as_bytes()
        signer = self._letterhead.signer
        return signer.sign(mail, now) if signer else mail

    async def _open_envelope(self, envelope: tuple[str, str]) -> SMTP:
        """A connection on which sender and recipient were taken. A kept connection that turns out dead is replaced, once."""
        if self._idle:
            client = self._idle.pop()
            try:
                return await self._address(client, envelope)
            except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError):
                client.close()
        client = self._access.connection(self._host, self._port)
        try:
            await client.connect()
        except SMTPResponseException as error:  # a greeting, encryption or login that failed is no word about this mail
            raise SMTPException(f"{error.code} {error.message}") from error
        return await self._address(client, envelope)

    async def _address(self, client: SMTP, envelope: tuple[str, str]) -> SMTP:
        sender, address = envelope
        try:
            await client.mail(sender)
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
        return Accepted(provider_id=id_in(reply.message))

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


def id_in(reply: str) -> str:
    """The server's own id of a mail, from its words (`queued as ...`, or `Ok ...`): what its callbacks name it by; or nothing."""
    found = _QUEUED_AS.search(reply) or _NAMED.search(reply.strip())
    return found[1] if found else ""


def _refused(error: Exception) -> Refused:
    if isinstance(error, SMTPResponseException):
        detail = f"{error.code} {error.message}"
        bounced = isinstance(error, aiosmtplib.SMTPRecipientRefused) and _NO_SUCH_ADDRESS.search(detail) is not None
        return Refused(detail=detail, permanent=error.code >= 500, down=error.code == GOODBYE, bounced=bounced)
    said = f": {error}" if type(error) is SMTPException else ""
    return Refused(detail=f"not reached: {type(error).__name__}{said}", permanent=False, down=True)

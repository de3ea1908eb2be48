"""Mails at a real SMTP server: encrypted and with a login where that is set, signed, named to the provider, and with their return path."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import dkim
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from channel_contacts import a_contact
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from nextwave_channels.adapters.email import Access, Email, id_in
from nextwave_channels.answers import Accepted, Refused
from nextwave_channels.mail import Letterhead, MailProvider
from nextwave_contracts.actions import Content
from unit.channels.test_dkim import SIGNER, records

LETTERHEAD = Letterhead(sender="Nextwave <news@shop.example>", links_url="http://127.0.0.1:1", key=b"k" * 32)


class Mailbox:
    """Keeps what came, and whether it came encrypted."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []
        self.encrypted: list[bool] = []
        self.reply = "250 2.0.0 Ok: queued as 4BXYZ1"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's own)
        assert isinstance(envelope.original_content, bytes)
        self.mails.append((str(envelope.mail_from), envelope.original_content))
        self.encrypted.append(session.ssl is not None)
        return self.reply


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return path


@asynccontextmanager
async def server(box: Mailbox, **options: Any) -> AsyncIterator[str]:
    listening = await asyncio.get_running_loop().create_server(lambda: SMTP(box, hostname="test", **options), "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate)
    return made


def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data == LoginPassword(b"shop", b"secret"), handled=False)


@pytest.mark.parametrize(("password", "answer"), [("secret", Accepted), ("wrong", Refused)])
async def test_a_login_goes_over_starttls_and_a_wrong_one_is_no_word_about_the_mail(certificate: Path, password: str, answer: type) -> None:
    box = Mailbox()
    options = {"tls_context": context(certificate), "require_starttls": True, "auth_required": True, "authenticator": authenticate}
    async with server(box, **options) as address:
        access = Access(security="starttls", user="shop", password=password, ca_file=str(certificate))
        adapter = Email(address, LETTERHEAD, access=access)
        answers = [await adapter.send(a_contact(action_id=f"a{n}")) for n in range(2)]
        await adapter.close()
    assert [type(one) for one in answers] == [answer] * 2
    assert box.encrypted == ([True, True] if answer is Accepted else [])
    for one in answers:
        if isinstance(one, Refused):
            assert (one.permanent, one.down, "535" in one.detail) == (False, True, True)


async def test_a_server_without_the_encryption_that_is_set_gets_no_mail(certificate: Path) -> None:
    box = Mailbox()
    async with server(box) as address:
        answer = await Email(address, LETTERHEAD, access=Access(security="starttls", ca_file=str(certificate))).send(a_contact())
    assert isinstance(answer, Refused)
    assert (answer.permanent, box.mails) == (False, [])


async def test_a_server_that_nobody_vouches_for_gets_no_mail(certificate: Path) -> None:
    box = Mailbox()
    async with server(box, tls_context=context(certificate)) as address:
        answer = await Email(address, LETTERHEAD, access=Access(security="starttls")).send(a_contact())
    assert isinstance(answer, Refused)
    assert (answer.permanent, box.mails) == (False, [])


def test_a_password_is_not_sent_in_the_clear() -> None:
    for security in ("auto", "none"):
        with pytest.raises(ValueError, match="starttls or tls"):
            Access(security=security, user="shop", password="secret")


async def test_what_arrives_is_signed_as_dkimpy_sees_it() -> None:
    box = Mailbox()
    async with server(box) as address:
        adapter = Email(address, replace(LETTERHEAD, signer=SIGNER))
        text = "Grüße\n.\n..two\n  three  \n" + "long " * 400
        await adapter.send(a_contact(content=Content(text=text, subject="Grüße " * 30, html=f"<p>{text}</p>")))
        await adapter.close()
    ((_, mail),) = box.mails
    assert dkim.verify(mail, dnsfunc=records)
    assert not dkim.verify(mail.replace(b"One-Click", b"No-Click"), dnsfunc=records)
    assert mail.isascii(), "a server that takes seven bits only would change it"


@pytest.mark.parametrize(
    ("provider", "header", "value"),
    [
        ("sendgrid", "X-SMTPAPI", '{"unique_args": {"action_id": "action-1"}}'),
        ("mailgun", "X-Mailgun-Variables", '{"action_id": "action-1"}'),
        ("postmark", "X-PM-Metadata-action_id", "action-1"),
        ("ses", "X-SES-MESSAGE-TAGS", "action_id=action-1"),
        ("", "X-SMTPAPI", None),
    ],
)
async def test_a_mail_names_its_action_to_the_provider_that_it_goes_through(provider: MailProvider, header: str, value: str | None) -> None:
    box = Mailbox()
    async with server(box) as address:
        await Email(address, replace(LETTERHEAD, provider=provider, bounces="bounces@shop.example")).send(a_contact())
    ((envelope, mail),) = box.mails
    assert message_from_bytes(mail)[header] == value
    assert envelope == "bounces+action-1@shop.example"


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("2.0.0 Ok: queued as 4BXYZ1", "4BXYZ1"),
        ("Ok: queued as <f0e1-22@geopod.example>", "f0e1-22@geopod.example"),
        ("Ok 0102018e5f2c-aaaa-bbbb-cccc-000000", "0102018e5f2c-aaaa-bbbb-cccc-000000"),
        ("Great success", ""),
        ("OK queued", ""),
        ("", ""),
    ],
)
def test_the_servers_id_is_read_from_its_words(reply: str, found: str) -> None:
    assert id_in(reply) == found

"""DKIM signatures as an independent verifier (dkimpy) sees them."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes

import dkim
import pytest
from channel_contacts import a_contact
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_channels.dkim import Signer, canonical_body, read_key
from nextwave_channels.mail import REWRITTEN, Letterhead, UnsendableError, compose
from nextwave_contracts.actions import Content

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = rsa.generate_private_key(65537, 2048)
SIGNER = Signer(domain="shop.example", selector="s1", key=KEY)
LETTERHEAD = Letterhead(sender="Shop <news@shop.example>", links_url="https://links.example", key=b"k" * 32)


def records(name: bytes, timeout: int = 5) -> bytes:
    """The DNS of the tests: the one key."""
    del timeout
    assert name == b"s1._domainkey.shop.example."
    return b"v=DKIM1; k=rsa; p=" + b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def holds(mail: bytes) -> bool:
    return dkim.verify(mail, dnsfunc=records) is True


def written(text: str = "Hello", subject: str = "Hi", html: str = "") -> bytes:
    contact = a_contact(content=Content(text=text, subject=subject, html=html))
    return SIGNER.sign(compose(contact, LETTERHEAD, AT).as_bytes(), AT)


@pytest.mark.parametrize("html", ["", "<p>Grüße  \t von uns</p>\n\n\n"])
def test_a_signed_mail_is_verified_by_dkimpy(html: str) -> None:
    mail = written("Hallo Änn,\n\n  zwei  Leerzeichen \n.\n..\n\n\n", "Grüße aus Köln " * 20, html)
    assert holds(mail)
    assert all(len(line) <= 998 for line in mail.split(b"\r\n"))


@settings(max_examples=60)
@given(st.text(st.characters(codec="utf-8"), max_size=200), st.text(st.characters(codec="utf-8"), max_size=60))
def test_whatever_a_mail_says_its_signature_holds(text: str, subject: str) -> None:
    try:
        mail = written(text, subject)
    except UnsendableError:
        return
    assert holds(mail)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello", b"Hallo"),
        (b"Subject: Hi", b"Subject: Ho"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"List-Unsubscribe-Post: none"),
        (b"X-Nextwave-Action: action-1", b"X-Nextwave-Action: action-2"),
        (b"From: Shop", b"From: Eve <eve@evil.example>\r\nFrom: Shop"),
        (b"Subject: Hi", b"Subject: Hi\r\nSubject: Ho"),
        (b"List-Unsubscribe: <", b"List-Unsubscribe: <https://evil.example>\r\nList-Unsubscribe: <"),
    ],
)
def test_a_changed_text_or_a_changed_or_added_header_breaks_it(old: bytes, new: bytes) -> None:
    mail = written()
    assert old in mail
    assert not holds(mail.replace(old, new, 1))


def test_what_ses_writes_anew_is_not_signed_so_that_the_signature_holds_behind_it() -> None:
    letterhead = replace(LETTERHEAD, provider="ses", signer=replace(SIGNER, rewritten=REWRITTEN["ses"]))
    assert letterhead.signer is not None
    mail = letterhead.signer.sign(compose(a_contact(content=Content(text="Hello", subject="Hi")), letterhead, AT).as_bytes(), AT)
    changed = re.sub(rb"(?m)^Date: .*\r$", b"Date: Tue, 03 Mar 2026 08:00:00 +0000\r", mail)
    changed = re.sub(rb"(?m)^Message-ID: .*\r$", b"Message-ID: <0100@eu-central-1.amazonses.com>\r", changed)
    changed = re.sub(rb"(?m)^X-SES-MESSAGE-TAGS: .*\r\n", b"", changed)
    assert holds(changed)
    assert not holds(changed.replace(b"Hello", b"Hallo"))
    by_smtp = SIGNER.sign(compose(a_contact(content=Content(text="Hello", subject="Hi")), LETTERHEAD, AT).as_bytes(), AT)
    assert not holds(re.sub(rb"(?m)^Message-ID: .*\r$", b"Message-ID: <other@shop.example>\r", by_smtp))


def test_both_headers_of_one_click_unsubscribe_are_signed() -> None:
    tags = "".join(str(message_from_bytes(written())["DKIM-Signature"]).split())
    signed = tags.partition(";h=")[2].partition(";")[0].split(":")
    assert {"from", "subject", "list-unsubscribe", "list-unsubscribe-post"} <= set(signed)


def test_refolding_and_trailing_blanks_on_the_way_do_not_break_it() -> None:
    mail = written("Hello  there\nline two", "one two three")
    assert holds(mail.replace(b"Subject: one two", b"Subject: one\r\n  two").replace(b"line two", b"line two  ") + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("body", "canonical"), [(b"", b""), (b"\r\n\r\n", b""), (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"), (b"x", b"x\r\n")]
)
def test_the_body_is_reduced_as_the_rfcs_example_is(body: bytes, canonical: bytes) -> None:
    assert canonical_body(body) == canonical


def test_a_key_that_is_too_short_or_no_key_is_refused() -> None:
    short = rsa.generate_private_key(65537, 1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for pem in (short, "no key"):
        with pytest.raises(ValueError, match=r".+"):
            read_key(pem)

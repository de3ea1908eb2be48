"""The mail that is written: read back with the standard library's parser, links with the contracts' own verifier."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from channel_contacts import a_contact
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_channels.mail import Letterhead, UnsendableError, compose
from nextwave_contracts.actions import Content
from nextwave_contracts.links import Link, verify

KEY = b"k" * 32
LETTERHEAD = Letterhead(sender="Nextwave <news@shop.example>", links_url="https://links.example/", key=KEY)
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAGE = """<html><body><a href="https://shop.example/offer?a=1&amp;b=2">Offer</a>
<a class='x' href='http://shop.example/two'>Two</a> <a href="mailto:x@y.z">Mail</a> <a href="https://links.example/u/abc">Stop</a></body></html>"""


def written(**content: Any) -> EmailMessage:
    contact = a_contact(content=Content(**{"text": "Hello https://shop.example/a.", "subject": "Grüße", **content}))
    raw = compose(contact, LETTERHEAD, AT).as_bytes()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    return message_from_bytes(raw, policy=default)


def links_in(text: str, kind: str) -> list[Link]:
    return [verify(token, KEY) for token in re.findall(rf"https://links\.example/{kind}/([\w-]+)", text)]


def test_a_mail_carries_its_action_and_a_one_click_unsubscribe() -> None:
    mail = written()
    assert mail["X-Nextwave-Action"] == "action-1"
    assert mail["Message-ID"] == "<action-1@shop.example>"
    assert mail["Subject"] == "Grüße"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<https://links\.example/u/[\w-]+>", mail["List-Unsubscribe"])
    (link,) = links_in(mail["List-Unsubscribe"], "u")
    assert link == Link(customer_id="customer-1", channel="email", purpose="marketing", action_id="action-1")


def test_web_links_of_the_page_lead_through_the_click_link_and_others_stay() -> None:
    page = written(html=PAGE).get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert [link.target for link in links_in(page, "r")] == ["https://shop.example/offer?a=1&b=2", "http://shop.example/two"]
    assert 'href="mailto:x@y.z"' in page
    assert "https://links.example/u/abc" in page
    assert "shop.example" not in page


def test_the_open_pixel_stands_at_the_end_of_the_body() -> None:
    page = written(html=PAGE).get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert len(links_in(page, "o")) == 1
    assert re.search(r'<img src="https://links\.example/o/[\w-]+" width="1" height="1" alt=""></body>', page)


def test_a_mail_without_html_has_its_links_tracked_in_the_text() -> None:
    mail = written()
    assert mail.get_content_type() == "text/plain"
    assert [link.target for link in links_in(mail.get_content(), "r")] == ["https://shop.example/a"]
    assert mail.get_content().rstrip().endswith(".")


@pytest.mark.parametrize("subject", ["Hi\r\nBcc: eve@evil.example", "Hi\nX: 1", "Hi\0"])
def test_a_subject_cannot_add_a_header(subject: str) -> None:
    with pytest.raises(UnsendableError):
        written(subject=subject)


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com\r\nBcc: eve@evil.example", "ann@example.com, eve@evil.example", "ann@example.com>", "", "@", "ann", "ann@",
        "Ann <ann@example.com>", "änn@example.com", "ann@exa\0mple.com",
    ],
)  # fmt: skip
def test_an_address_is_exactly_one_address(address: str) -> None:
    with pytest.raises(UnsendableError):
        compose(a_contact(address=address), LETTERHEAD, AT)


@settings(deadline=None)
@given(
    subject=st.text(st.characters(codec="utf-8"), max_size=60),
    text=st.text(st.characters(codec="utf-8"), max_size=200),
)
def test_no_content_changes_the_headers(subject: str, text: str) -> None:
    contact = a_contact(content=Content(text=text, subject=subject))
    try:
        raw = compose(contact, LETTERHEAD, AT).as_bytes()
    except UnsendableError:
        return
    assert sorted(message_from_bytes(raw, policy=default).keys())[:4] == ["Content-Transfer-Encoding", "Content-Type", "Date", "From"]
    assert len(message_from_bytes(raw, policy=default).keys()) == 11

"""Mails that come back: reports as Postfix, Exchange and Exim write them, abuse reports, and mails that are no reports."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP as WIRE

import pytest
from channel_contacts import a_contact
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_channels.callbacks.dsn import Dsn, of_mail
from nextwave_channels.callbacks.evidence import UnreadableError, WrongSecretError
from nextwave_channels.mail import Letterhead, action_of_return_path, return_path
from unit.channels.callbacks.posting import post, read

DOOR = Dsn(("secret",))
RETURNED = "From: news@shop.example\r\nMessage-ID: <act-1@shop.example>\r\nX-Nextwave-Action: act-1\r\nSubject: Hi\r\n"
REPORT = """\
Reporting-MTA: dns; mx.shop.example
X-Postfix-Queue-ID: 4B1
Arrival-Date: Mon, 2 Mar 2026 12:00:00 +0000

Final-Recipient: rfc822; ann@example.com
Original-Recipient: rfc822;ann@example.com
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <ann@example.com>: no such user
"""


def report(action: str = "failed", status: str = "5.1.1", *, returned: str = RETURNED, kind: str = "text/rfc822-headers") -> bytes:
    parts = [
        "Content-Type: text/plain\r\n\r\nYour mail could not be delivered.",
        "Content-Type: message/delivery-status\r\n\r\n" + REPORT.format(action=action, status=status).replace("\n", "\r\n"),
        *([f"Content-Type: {kind}\r\n\r\n{returned}"] if returned else []),
    ]
    body = "".join(f"--b1\r\n{part}\r\n" for part in parts) + "--b1--\r\n"
    head = (
        "From: MAILER-DAEMON@mx.shop.example\r\nTo: bounces+act-9@shop.example\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"\r\n\r\n'
    )
    return (head + body).encode()


@pytest.mark.parametrize(
    ("action", "status", "result"),
    [
        ("failed", "5.1.1", ("bounced", "closed")),
        ("failed", "5.0.0", ("bounced", "closed")),
        ("Failed", "5.2.1 (mailbox disabled)", ("bounced", "closed")),
        ("failed", "5.2.2", ("failed", "")),
        ("failed", "5.7.1", ("failed", "")),
        ("failed", "4.4.7", ("failed", "")),
        ("delivered", "2.0.0", ("delivered", "")),
        ("delayed", "4.4.1", None),
        ("relayed", "2.0.0", None),
        ("expanded", "2.0.0", None),
        ("", "", None),
    ],
)
def test_a_report_means_what_action_and_status_say(action: str, status: str, result: tuple[str, str] | None) -> None:
    found = of_mail(report(action, status))
    assert ((found.kind, found.effect) if found else None) == result


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
@pytest.mark.parametrize("returned", [RETURNED, RETURNED.replace("X-Nextwave-Action: act-1\r\n", "")])
def test_the_returned_mail_names_its_action_by_header_or_message_id(kind: str, returned: str) -> None:
    found = of_mail(report(returned=returned, kind=kind))
    assert found is not None
    assert found.action_id == "act-1"


def test_a_report_that_returns_nothing_came_to_the_actions_return_path() -> None:
    found = of_mail(report(returned=""))
    assert found is not None
    assert found.action_id == "act-9"


def test_nobodys_address_stands_in_what_is_kept() -> None:
    found = of_mail(report())
    assert found is not None
    assert "ann@" not in repr(found)
    assert found.address == ""


def test_the_same_report_twice_is_one_event() -> None:
    first, again, other = of_mail(report()), of_mail(report().replace(b"4B1", b"4B2")), of_mail(report(status="5.2.1"))
    assert first == again
    assert first is not None
    assert other is not None
    assert first.event_id != other.event_id


def test_an_abuse_report_is_a_complaint() -> None:
    raw = report().replace(b"message/delivery-status", b"message/feedback-report").replace(b"Action: failed", b"X: y")
    abuse = raw.replace(b"Reporting-MTA:", b"Feedback-Type: abuse\r\nUser-Agent: FBL/1\r\nReporting-MTA:")
    found = of_mail(abuse)
    assert found is not None
    assert (found.action_id, found.kind, found.effect) == ("act-1", "refused", "complained")
    assert of_mail(abuse.replace(b"abuse", b"not-spam")) is None


@pytest.mark.parametrize("raw", [b"", b"Subject: Hello\r\n\r\nHi", b"Content-Type: multipart/report; boundary=x\r\n\r\n--x--"])
def test_a_mail_that_is_no_report_is_told_so(raw: bytes) -> None:
    with pytest.raises(UnreadableError):
        of_mail(raw)


def test_a_mail_of_many_nested_parts_is_refused() -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2000))
    with pytest.raises(UnreadableError):
        of_mail(raw)


@settings(max_examples=200)
@given(st.integers(0, 900), st.binary(max_size=30), st.integers(0, 900))
def test_no_mail_breaks_the_reader(at: int, inserted: bytes, cut: int) -> None:
    raw = report()
    try:
        of_mail(raw[:at] + inserted + raw[at + cut :])
    except UnreadableError:
        return


def test_the_report_may_come_as_the_requests_own_type() -> None:
    head, _, body = report().partition(b"\r\n\r\n")
    kind = message_from_bytes(head, policy=WIRE)["Content-Type"]
    (found,) = read(DOOR, post(body, authorization="Bearer secret", content_type=str(kind)))
    assert found is not None
    assert found.action_id == "act-1"


@pytest.mark.parametrize("authorization", ["", "Bearer other"])
def test_the_mailboxs_secret_is_needed(authorization: str) -> None:
    with pytest.raises(WrongSecretError):
        read(DOOR, post(report(), authorization=authorization))


@pytest.mark.parametrize("action_id", ["act-1", "018f2a5c-0000-7000-8000-000000000000-2"])
def test_the_return_path_of_a_mail_names_its_action(action_id: str) -> None:
    letterhead = Letterhead(sender="News <news@shop.example>", links_url="https://l.example", key=b"k" * 32, bounces="bounces@shop.example")
    path = return_path(a_contact(action_id=action_id), letterhead)
    assert path == f"bounces+{action_id}@shop.example"
    assert action_of_return_path(f"Bounces <{path}>") == action_of_return_path(path) == action_id


@pytest.mark.parametrize("action_id", ["a" * 60, "a b", "a@b", "ä"])
def test_an_action_that_no_address_can_hold_stays_out_of_the_return_path(action_id: str) -> None:
    letterhead = Letterhead(sender="News <news@shop.example>", links_url="https://l.example", key=b"k" * 32, bounces="bounces@shop.example")
    assert return_path(a_contact(action_id=action_id), letterhead) == "bounces@shop.example"

"""The bodies that mappings read: forms, forms with files, and e-mails, whoever wrote them."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nextwave_ingest.admission import EVENT_BYTES_MAX, RefusedError
from nextwave_ingest.mappings.bodies import Body, read_body
from nextwave_ingest.mappings.cutting import TEXT_BYTES_MAX, cut
from nextwave_ingest.mappings.mail import LINES_MAX

NO_FORM = "multipart/form-data; boundary=x"


def mail(**headers: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Ann M\u00fcller <Ann@Example.com>"
    made["To"] = "Shop <shop@example.org>, b@example.org"
    made["Subject"] = "Gr\u00fc\u00dfe \u2013 stop"
    made["Message-ID"] = "<m1@example.com>"
    made["Date"] = "Sun, 22 Nov 2026 10:00:00 +0100"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    return made


def with_text(made: EmailMessage, text: str = "Please stop.\n\u00e4\n") -> EmailMessage:
    made.set_content(text, charset="iso-8859-1", cte="quoted-printable")
    return made


def nested(parts: int, parameter: bytes) -> bytes:
    """A mail of parts in parts, with the name of their boundary as it is written."""
    opened = [b"Content-Type: multipart/mixed; %b\r\n\r\n--b%d\r\n" % (parameter % n, n) for n in range(parts)]
    return b"From: a@b\r\n" + b"".join(opened) + b"Content-Type: text/plain\r\n\r\nstop\r\n"


def of_mail(made: EmailMessage) -> Any:
    return read_body("mime", made.as_bytes(), "message/rfc822")


def multipart(fields: dict[str, str], files: list[tuple[str, tuple[str, bytes, str]]] | None = None) -> Any:
    every: list[tuple[str, Any]] = [(name, (None, value.encode(), None)) for name, value in fields.items()]
    request = httpx.Request("POST", "http://x", files=every + (files or []))
    return read_body("multipart", request.read(), request.headers["content-type"])


def test_a_form_is_an_object_whose_repeated_fields_are_lists() -> None:
    assert read_body("form", b"From=%2B1415&Body=a+b%C3%A4&To=&tag=1&tag=2", "") == {
        "From": "+1415",
        "Body": "a b\u00e4",
        "To": "",
        "tag": ["1", "2"],
    }


def test_a_mail_tells_who_wrote_what_to_whom() -> None:
    told = of_mail(with_text(mail(In_Reply_To="<a@shop>", References="<b@shop> <a@shop>")))
    assert (told["from"], told["from_name"], told["to"]) == ("Ann@Example.com", "Ann M\u00fcller", ["shop@example.org", "b@example.org"])
    assert (told["subject"], told["text"]) == ("Gr\u00fc\u00dfe \u2013 stop", "Please stop.\n\u00e4")
    assert (told["message_id"], told["in_reply_to"], told["references"]) == ("<m1@example.com>", "<a@shop>", "<b@shop> <a@shop>")
    assert told["date"] == "2026-11-22T10:00:00+01:00"


def test_a_mail_tells_what_shows_a_machines_answer() -> None:
    told = of_mail(with_text(mail(Auto_Submitted="auto-replied", Precedence="bulk", X_Auto_Response_Suppress="All", List_Id="<news.x>")))
    assert (told["auto_submitted"], told["precedence"], told["x_auto_response_suppress"]) == ("auto-replied", "bulk", "All")
    assert told["list_id"] == "<news.x>"
    assert "auto_submitted" not in of_mail(with_text(mail()))


def test_the_text_of_an_html_mail_is_read_and_of_attachments_the_names() -> None:
    made = mail()
    made.set_content("<style>p{}</style><p>Stop &amp; go</p>", subtype="html")
    made.add_attachment(b"x" * 100, maintype="application", subtype="pdf", filename="Vertr\u00e4ge.pdf")
    made.add_attachment("a note", filename="note.txt")
    told = of_mail(made)
    assert (told["text"], told["attachments"]) == ("Stop & go", ["Vertr\u00e4ge.pdf", "note.txt"])


def test_the_plain_text_counts_before_the_html_and_charsets_that_nobody_knows_do_no_harm() -> None:
    made = mail()
    made.set_content("plain")
    made.add_alternative("<p>html</p>", subtype="html")
    raw = made.as_bytes().replace(b'charset="utf-8"', b'charset="x-klingon"')
    assert read_body("mime", raw, "")["text"] == "plain"


def test_a_long_mail_is_cut_and_small_enough_for_an_event() -> None:
    told = of_mail(with_text(mail(), '\u00e4"\n' * 100_000))
    assert len(msgspec.json.encode(told)) < EVENT_BYTES_MAX
    assert told["text"].startswith('\u00e4"\n')


def test_sendgrids_raw_mail_and_its_parsed_one_are_the_same_mail() -> None:
    made = with_text(mail(Auto_Submitted="no"))
    raw = multipart({"email": made.as_string(), "from": "x"})
    head = made.as_string().partition("\n\n")[0]
    parsed = multipart({"headers": head, "text": "Please stop.\n\u00e4\n", "html": "<p>other</p>", "charsets": "{}"})
    assert raw["mail"] == parsed["mail"] == of_mail(made)
    assert raw["from"] == "x"
    assert "email" not in raw


def test_the_fields_of_a_form_are_read_in_their_charsets_and_its_files_dropped() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nm\xfcde\r\n'
        b'--b\r\nContent-Disposition: form-data; name="charsets"\r\n\r\n{"text":"iso-8859-1"}\r\n'
        b'--b\r\nContent-Disposition: form-data; name="note"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa4\r\n'
        b'--b\r\nContent-Disposition: form-data; name="a1"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\x00\xff\r\n'
        b'--b\r\nContent-Disposition: form-data; name="tag"\r\n\r\n1\r\n'
        b'--b\r\nContent-Disposition: form-data; name="tag"\r\n\r\n2\r\n--b--\r\n'
    )
    form = read_body("multipart", body, "multipart/form-data; boundary=b")
    assert (form["text"], form["note"], form["tag"], form["_files"]) == ("m\u00fcde", "\u00e4", ["1", "2"], ["photo.jpg"])
    assert "a1" not in form


@pytest.mark.parametrize(
    ("kind", "body", "content_type"),
    [
        ("multipart", b"", NO_FORM),
        ("multipart", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1", NO_FORM),
        ("multipart", b"a=1", "text/plain"),
        ("multipart", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" * 300 + b"--x--", NO_FORM),
        ("mime", b"", ""),
        ("mime", b"hello", ""),
        ("mime", b"From: a@b\r\n" + b"X: y\r\n" * 6_000, ""),
        ("mime", b"Content-Type: text/plain;\r\n" + b" a*0=b;\r\n" * 1_000, ""),
        ("form", b"a=1&" * 2_000, ""),
        ("form", b"\xff", ""),
        ("json", b"nothing", ""),
        ("json", b'{"a":[' + b"1," * 60_000 + b"1]}", ""),
    ],
)
def test_what_cannot_be_read_says_so(kind: Body, body: bytes, content_type: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_body(kind, body, content_type)
    assert refused.value.detail


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
@pytest.mark.parametrize("parameter", [b"boundary=b%d", b"boundary =b%d", b"boundary*0=b%d"])
def test_of_parts_in_parts_the_outer_ones_are_read_however_deep_they_are(parameter: bytes, kind: str) -> None:
    deep = nested(90, parameter)
    assert read_body("mime", nested(12, parameter), "")["text"] == "stop"
    assert read_body("mime", deep, "").keys() == {"from", "content_type"}
    first, _, rest = deep.partition(b"--b0\r\n")
    said = b"Content-Type: %s\r\n\r\nSTOP\r\n" % kind.encode()
    for mail_ in (first + b"--b0\r\n" + said + b"--b0\r\n" + rest, deep + b"--b0\r\n" + said + b"--b0--\r\n"):
        assert read_body("mime", mail_, "")["text"] == "STOP"


def test_mails_in_mails_are_no_refusal_either_and_of_very_many_parts_the_first_are_read() -> None:
    deep = b"From: a@b\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 1_000 + b"\r\nstop"
    assert read_body("mime", deep, "") == {"from": "a@b", "content_type": "message/rfc822"}
    many = b"From: a@b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSTOP" + b"\r\n--b\r\n" * 1_000
    assert read_body("mime", many, "")["text"] == "STOP"
    late = b"\r\n--b\r\nContent-Disposition: attachment; filename=late\r\n\r\n--b--"
    assert read_body("mime", many + late, "") == read_body("mime", many, "")
    large = many[: many.index(b"STOP") + 4] + b" " * 1024 * 1024
    assert read_body("mime", large + late, "") == read_body("mime", large, "")


def test_a_mail_in_a_mail_in_a_mail_is_read_and_of_a_body_without_end_the_beginning() -> None:
    made = with_text(mail())
    for _ in range(4):
        outer = with_text(mail())
        outer.add_attachment(made)
        made = outer
    assert of_mail(made)["text"] == "Please stop.\n\u00e4"
    raw = b"From: a@b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nstop\r\n--b\r\n\r\n" + b"\n" * LINES_MAX
    assert read_body("mime", raw + b"--b\r\nContent-Disposition: attachment; filename=late\r\n\r\n--b--", "") == (
        read_body("mime", raw, "") | {"text": "stop"}
    )


@settings(deadline=None)
@given(st.sampled_from(["json", "form", "multipart", "mime"]), st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
@example("mime", b"From: =?x?q?=?= <a@b>\nTo: \xff@\nDate: 99 99\nContent-Type: text/html; charset=\x00\n\n<![CDATA[x]]><![foo")
@example("mime", b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; filename*=x''%ff\n\n--b--")
@example("mime", b'Subject: =?utf-8?b?!?=\nFrom: "\nContent-Transfer-Encoding: base64\n\nQQ=\xff=')
@example("multipart", b"--x\r\nContent-Disposition: form-data; name=headers\r\n\r\nFrom: (((((\r\n--x--")
def test_every_body_is_read_or_refused(kind: Body, body: bytes) -> None:
    try:
        read = read_body(kind, body, NO_FORM)
    except RefusedError:
        return
    msgspec.json.encode(read)


@settings(deadline=None)
@given(st.text(max_size=50), st.integers(1, 2_000))
def test_a_text_is_cut_to_its_beginning_and_no_more_than_needed(text: str, times: int) -> None:
    whole = text * times
    part = cut(whole)
    assert whole.startswith(part)
    assert len(msgspec.json.encode(part)) <= TEXT_BYTES_MAX
    assert part == whole or len(part) > TEXT_BYTES_MAX // 16

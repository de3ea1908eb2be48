"""Whoever writes a mail chooses its charset: no stop is lost for it, and nobody waits."""

from __future__ import annotations

import time
from email.message import EmailMessage

import httpx
import pytest
from nextwave_ingest.mappings.charsets import text_of
from nextwave_ingest.mappings.mail import UNNAMED, mail_of
from nextwave_ingest.mappings.multipart import multipart_of
from unit.ingest.fakes import Stand

HEAD = b"From: ann@example.com\r\nMessage-ID: <1@x>\r\nSubject: hello\r\n"
NO_CHARSETS = ["idna", "punycode", "undefined", "unicode_escape", "hex", "rot13", "mbcs", "x-klingon", "\0", "x" * 3000, ""]
FOREIGN = [
    ("windows-1252", "Größe 5 €"),
    ("iso-2022-jp", "停止"),
    ("gb18030", "退订"),
    ("koi8-r", "стоп"),
    ("big5", "停止"),
    ("utf-16", "STOPP"),
]


def form(**fields: bytes) -> tuple[bytes, str]:
    files = {name: (None, value) for name, value in fields.items()}
    request = httpx.Request("POST", "https://x", files=files)
    return request.read(), request.headers["content-type"]


@pytest.mark.parametrize("charset", NO_CHARSETS)
async def test_a_stop_in_a_charset_that_is_none_is_heard_parsed_and_raw(ingest: Stand, charset: str) -> None:
    written = charset.replace("\0", "\\u0000")
    body, kind = form(headers=HEAD, text="STOP\nGrüße".encode(), charsets=f'{{"text": "{written}"}}'.encode())
    parsed = await ingest.post("/v1/inbound/shop/sendgrid-inbound", content=body, headers={"content-type": kind})
    raw = HEAD + f'Content-Type: text/plain; charset="{charset}"\r\n\r\n'.encode() + "STOP\nGrüße".encode()
    whole = await ingest.post("/v1/inbound/shop/email-mime", content=raw)
    assert (parsed.status_code, whole.status_code) == (202, 202)
    assert [t.data["text"] for t in ingest.committer.touchpoints] == ["STOP\nGrüße"] * 2
    assert [(hold.kind, hold.channel) for hold in ingest.committer.holds] == [("opt_out", "email")] * 2


@pytest.mark.parametrize(("charset", "text"), FOREIGN)
def test_each_field_of_a_parsed_mail_is_read_in_its_own_charset(charset: str, text: str) -> None:
    beside = "Größe".encode("iso-8859-1")
    body, kind = form(
        headers=HEAD, text=text.encode(charset), note=beside, charsets=f'{{"text": "{charset}", "note": "ISO-8859-1"}}'.encode()
    )
    read = multipart_of(body, kind)
    assert (read["mail"]["text"], read["note"]) == (text, "Größe")


def test_attachments_of_a_parsed_mail_are_kept_by_name_and_its_text_is_read() -> None:
    request = httpx.Request(
        "POST",
        "https://x",
        files=[
            ("headers", (None, HEAD)),
            ("text", (None, b"see there")),
            ("attachments", (None, b"2")),
            ("attachment-info", (None, b'{"attachment1": {"filename": "a.pdf", "type": "application/pdf"}}')),
            ("attachment1", ("Größe.pdf", b"%PDF\xff\xfe" * 1000, "application/pdf")),
            ("attachment2", ("b.txt", b"STOP", "text/plain")),
        ],
    )
    read = multipart_of(request.read(), request.headers["content-type"])
    assert (read["mail"]["text"], len(read["mail"]["attachments"]), read["mail"]["attachments"][1]) == ("see there", 2, "b.txt")
    assert "attachment1" not in read


def test_a_file_whose_name_is_no_text_loses_no_mail() -> None:
    mail = EmailMessage()
    mail["From"] = "ann@example.com"
    mail.set_content("STOP")
    mail.add_attachment(b"x", maintype="image", subtype="png", filename="a.png")
    raw = mail.as_bytes().replace(b'filename="a.png"', b"filename*=idna''a%FF.png")
    read = mail_of(raw)
    assert (read["text"], read["attachments"]) == ("STOP", [UNNAMED])


def test_no_charset_takes_the_square_of_a_texts_length() -> None:
    began = time.process_time()
    text_of(b"a" * 500_000 + b"-" + b"9" * 500_000, "punycode")
    assert time.process_time() - began < 1

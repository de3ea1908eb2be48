"""E-mails as one flat object: who wrote what to whom, and the headers that tell a machine's answer from a person's. PURE.

Sources: RFC 5322 and 2045 to 2047; RFC 3834 and the older headers of automatic answers; RFC 2919 and 2369 (lists).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.policy import Policy, compat32
from email.utils import getaddresses, parsedate_to_datetime
from itertools import count
from typing import Any

from nextwave_ingest.admission import RefusedError
from nextwave_ingest.mappings.charsets import text_of
from nextwave_ingest.mappings.cutting import cut
from nextwave_ingest.wishes.mail import text_of_page

READ_MAX = 1024 * 1024
"""Bytes of a mail that are read: what was written stands before what is attached."""
LINES_MAX = 50_000
"""Of them, as the parser holds every line against the boundary of every part that is open."""
NESTED_MAX = 12
"""Parts in parts that are read: some mails forwarded in one another."""
PARTS_MAX = 500
HEADERS_MAX = 5_000
"""Lines that begin like a header; each costs more than its bytes, and so does a long one with parameters."""
PARAMETERS_MAX = 4_096
"""Characters of a header with parameters."""
HEADER_CHARACTERS_MAX = 2_000
ADDRESSES_MAX = 50
NAMES_MAX = 50
PAGE_CHARACTERS_MAX = 100_000
"""Of an HTML part, what is read for its text."""
_AS_WRITTEN = (
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "Precedence",
    "X-Auto-Response-Suppress",
    "X-Autoreply",
    "X-Autorespond",
    "Return-Path",
    "List-Id",
    "List-Unsubscribe",
    "Content-Type",
)
"""Headers that are told as they are, under their names in lower case with `_` for `-`."""
UNNAMED = "unnamed"
"""A file whose name nobody can read."""
_UNREAD = "application/octet-stream"
_HEADERS = re.compile(rb"^[!-9;-~]+:", re.MULTILINE)
_WITH_PARAMETERS = re.compile(rb"^content-(?:type|disposition):.*(?:\r?\n[ \t].*)*", re.IGNORECASE | re.MULTILINE)
_UNREADABLE = (MessageError, ValueError, LookupError, RecursionError, AttributeError, TypeError)
"""What Python's parser raises for mails that are none."""


class _Part(Message):
    """A mail or a part of one. What is nested deeper than mails are is read as if it had no parts, and of very many parts the first."""

    def __init__(self, policy: Policy[Any] = compat32) -> None:
        super().__init__(policy)
        self.depth = 0
        self.whole = self
        self.numbers = count(1)

    def attach(self, payload: Any) -> None:
        """As the parser does before it reads the part. Raises `_EnoughError`."""
        payload.depth, payload.whole, payload.numbers = self.depth + 1, self.whole, self.numbers
        if next(self.numbers) > PARTS_MAX:
            raise _EnoughError(self.whole)
        super().attach(payload)

    def get_content_type(self) -> str:
        """By which the parser looks for parts."""
        kind = super().get_content_type()
        return _UNREAD if self.depth >= NESTED_MAX and kind.startswith(("multipart/", "message/")) else kind


class TooManyHeadersError(ValueError):
    """It would take much longer to read than mails take."""


class _EnoughError(Exception):
    """A mail was read so far."""

    def __init__(self, mail: _Part) -> None:
        super().__init__()
        self.mail = mail


def mail_of(raw: bytes) -> dict[str, Any]:
    """A mail as it came. Its text is cut, of its attachments only the names are kept. Raises `RefusedError`."""
    read = b"".join(raw[:READ_MAX].lstrip(b"\r\n").splitlines(keepends=True)[:LINES_MAX])
    try:
        _check(read)
        return _of_mail(_parsed(read))
    except _UNREADABLE as wrong:
        raise RefusedError("", f"the mail cannot be read{_why(wrong)}: send it as it came (message/rfc822)") from wrong


def _parsed(raw: bytes) -> Message:
    try:
        return BytesParser(_Part, policy=compat32).parsebytes(raw)
    except _EnoughError as enough:
        return enough.mail


def mail_of_headers(headers: str, text: str, page: str) -> dict[str, Any]:
    """A mail that somebody has taken apart: its headers as they were, and its text or HTML. Raises `RefusedError`."""
    try:
        _check(headers.encode())
        return _told(HeaderParser(policy=compat32).parsestr(headers.lstrip("\r\n")), text or page_text(page), [])
    except _UNREADABLE as wrong:
        raise RefusedError("/headers", f"the headers cannot be read{_why(wrong)}: send them as they came with the mail") from wrong


def _check(raw: bytes) -> None:
    """Raises `TooManyHeadersError` for what would take much longer to read than mails take."""
    parameters = max((len(one) for one in _WITH_PARAMETERS.findall(raw)), default=0)
    if len(_HEADERS.findall(raw)) > HEADERS_MAX or parameters > PARAMETERS_MAX:
        raise TooManyHeadersError


def _why(wrong: Exception) -> str:
    """What a library says of its own trouble helps nobody."""
    if not isinstance(wrong, TooManyHeadersError):
        return ""
    return f", it has more than {HEADERS_MAX} headers or one of more than {PARAMETERS_MAX} characters"


def _of_mail(mail: Message) -> dict[str, Any]:
    if not mail.keys():
        raise ValueError("there is no header")
    parts = [part for part in mail.walk() if not part.is_multipart()]
    bodies = [part for part in parts if part.get_content_maintype() == "text" and not _is_attachment(part)]
    text = next((_content(part) for part in bodies if part.get_content_subtype() == "plain"), "")
    page = next((_content(part) for part in bodies if part.get_content_subtype() == "html"), "")
    names = [name for part in parts if (name := _decoded(_file_name(part)))]
    return _told(mail, text or page_text(page), names)


def page_text(page: str) -> str:
    """The text of an HTML part above what it quotes."""
    return text_of_page(page[:PAGE_CHARACTERS_MAX]).strip()


def _told(mail: Message, text: str, attachments: Iterable[str]) -> dict[str, Any]:
    senders, names = _addresses(mail, "From")
    told: dict[str, Any] = {name.lower().replace("-", "_"): _header(mail, name) for name in _AS_WRITTEN}
    told |= {
        "date": _date(_header(mail, "Date")),
        "subject": _header(mail, "Subject"),
        "from": next(iter(senders), ""),
        "from_name": next(iter(names), ""),
        "reply_to": next(iter(_addresses(mail, "Reply-To")[0]), ""),
        "to": _addresses(mail, "To")[0],
        "cc": _addresses(mail, "Cc")[0],
        "text": cut(text.replace("\r\n", "\n").strip()),
        "attachments": list(attachments)[:NAMES_MAX],
    }
    return {name: value for name, value in told.items() if value}


def _header(mail: Message, name: str) -> str:
    return _decoded(mail.get(name, ""))


def _decoded(value: object) -> str:
    """A header's value with its encoded words as text; what cannot be decoded stays as it is written."""
    written = str(value)[:HEADER_CHARACTERS_MAX]
    try:
        text = str(make_header(decode_header(written)))
    except (MessageError, ValueError, LookupError):
        text = written
    return " ".join(_unicode(text).split())


def _unicode(text: str) -> str:
    """Without halves of surrogate pairs, which stand for bytes that were no text."""
    return text.encode("utf-8", "replace").decode()


def _addresses(mail: Message, name: str) -> tuple[list[str], list[str]]:
    """The addresses and the names beside them."""
    written = [str(value)[:HEADER_CHARACTERS_MAX] for value in mail.get_all(name, [])][:ADDRESSES_MAX]
    found = [(_decoded(said), _unicode(address)) for said, address in getaddresses(written) if "@" in address][:ADDRESSES_MAX]
    return [address for _, address in found], [said for said, _ in found if said]


def _date(written: str) -> str:
    try:
        return parsedate_to_datetime(written).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_file_name(part))


def _file_name(part: Message) -> str:
    try:
        return part.get_filename() or ""
    except ValueError:  # it names a charset in which it is no text
        return UNNAMED


def _content(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    return text_of(content, part.get_content_charset() or "")

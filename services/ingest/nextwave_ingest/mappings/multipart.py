"""Forms with files (`multipart/form-data`): texts are kept, of files the names; a mail in it is read as any other mail. PURE.

SendGrid's Inbound Parse posts one: the mail as it came in `email`, or its `headers` beside `text` and `html`, with their `charsets`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from nextwave_ingest.admission import RefusedError
from nextwave_ingest.mappings.charsets import text_of
from nextwave_ingest.mappings.cutting import cut
from nextwave_ingest.mappings.mail import mail_of, mail_of_headers

PARTS_MAX = 200
MAIL = "mail"
"""Under which a form has the mail that stands in it."""
FILES = "_files"
"""Under which a form has the names of its files."""
_charsets = msgspec.json.Decoder(dict[str, str])


def multipart_of(body: bytes, content_type: str) -> dict[str, Any]:
    """The form as an object. Raises `RefusedError`."""
    parts = _Parts()
    boundary = parse_options_header(content_type.encode("latin-1", "replace"))[1].get(b"boundary", b"")
    if not boundary:
        raise RefusedError("", "send Content-Type: multipart/form-data with its boundary")
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        parser.write(body)
        parser.finalize()
    except MultipartParseError as wrong:
        raise RefusedError("", f"the body is no multipart form: {wrong}") from wrong
    if not parts.ended:
        raise RefusedError("", "the multipart form is cut off")
    return _object(parts)


def _object(parts: _Parts) -> dict[str, Any]:
    charsets = _charsets_of(parts.fields.get("charsets", []))
    texts = {
        name: [text_of(value, charset or charsets.get(name, "")) for value, charset in several] for name, several in parts.fields.items()
    }
    form: dict[str, Any] = {name: _short(values) for name, values in texts.items()}
    mail = _mail(parts, texts)
    if mail is not None:
        form[MAIL] = mail
        form.pop("email", None)
    return form | ({FILES: parts.files} if parts.files else {})


def _short(values: list[str]) -> str | list[str]:
    short = [cut(value) for value in values]
    return short[0] if len(short) == 1 else short


def _mail(parts: _Parts, texts: dict[str, list[str]]) -> dict[str, Any] | None:
    raw = parts.fields.get("email", [])
    if raw and b"\n" in raw[0][0]:
        return mail_of(raw[0][0])
    if "headers" not in texts:
        return None
    text, page = (texts.get(name, [""])[0] for name in ("text", "html"))
    mail = mail_of_headers(texts["headers"][0], text, page)
    return mail | ({"attachments": parts.files} if parts.files else {})


def _charsets_of(written: list[tuple[bytes, str]]) -> dict[str, str]:
    try:
        return _charsets.decode(written[0][0]) if written else {}
    except msgspec.MsgspecError:
        return {}


class _Parts:
    """What the parser tells: the values of fields with the charsets they name, and the names of files."""

    def __init__(self) -> None:
        self.fields: dict[str, list[tuple[bytes, str]]] = {}
        self.files: list[str] = []
        self.ended = False
        self._count = 0
        self._header = [b"", b""]
        self._headers: dict[str, bytes] = {}
        self._name: str | None = None
        self._value = bytearray()

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._add_header(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._add_header(1, data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._look,
            "on_part_data": self._add,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > PARTS_MAX:
            raise RefusedError("", f"a multipart form may have {PARTS_MAX} parts")
        self._headers, self._name, self._value = {}, None, bytearray()

    def _add_header(self, side: int, data: bytes) -> None:
        self._header[side] += data

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[name.decode("latin-1").lower()] = value
        self._header = [b"", b""]

    def _look(self) -> None:
        options = parse_options_header(self._headers.get("content-disposition", b""))[1]
        if b"filename" in options:
            self.files.append(cut(text_of(options[b"filename"], "utf-8")[:256]))
        elif b"name" in options:
            self._name = text_of(options[b"name"], "utf-8")[:256]

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._name is not None:
            self._value += data[start:end]

    def _end_part(self) -> None:
        if self._name is not None:
            charset = parse_options_header(self._headers.get("content-type", b""))[1].get(b"charset", b"")
            self.fields.setdefault(self._name, []).append((bytes(self._value), charset.decode("latin-1")))

    def _end(self) -> None:
        self.ended = True

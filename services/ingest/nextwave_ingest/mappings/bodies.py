"""The bodies of requests as one value like JSON, whatever they are written in. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from nextwave_contracts.twilio_signature import FIELDS_MAX, form_of

from nextwave_ingest.admission import RefusedError, check_depth, misfit
from nextwave_ingest.mappings.cutting import cut
from nextwave_ingest.mappings.mail import mail_of
from nextwave_ingest.mappings.multipart import multipart_of

Body = Literal["json", "form", "multipart", "mime"]
FORM = "application/x-www-form-urlencoded"
PARTS_MAX = 50_000
"""Commas of a JSON body: how many values it may have, so that paths that look at all of them stay cheap."""
_json = msgspec.json.Decoder()


def read_body(kind: Body, body: bytes, content_type: str) -> Any:
    """Forms are objects of texts, a repeated field a list of them; a mail is one object. Raises `RefusedError`."""
    match kind:
        case "json":
            return _of_json(body)
        case "form":
            return _of_form(body)
        case "multipart" if content_type.partition(";")[0].strip().lower() == FORM:  # as Mailgun posts a mail without attachments
            return _of_form(body)
        case "multipart":
            return multipart_of(body, content_type)
        case "mime":
            return mail_of(body)


def _of_json(body: bytes) -> Any:
    check_depth(body)
    if body.count(b",") > PARTS_MAX:
        raise RefusedError("", f"a body may have {PARTS_MAX} values; send smaller batches", "too_large")
    try:
        return _json.decode(body)
    except (ValueError, RecursionError) as wrong:
        raise misfit(wrong) from wrong


def _of_form(body: bytes) -> Mapping[str, str | list[str]]:
    fields: dict[str, list[str]] = {}
    try:
        for name, value in form_of(body):
            fields.setdefault(name, []).append(cut(value))
    except ValueError as wrong:
        raise RefusedError("", f"the body is no urlencoded form in UTF-8 with at most {FIELDS_MAX} fields") from wrong
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}

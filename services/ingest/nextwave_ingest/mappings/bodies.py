"""The bodies of requests as one value like JSON, whatever they are written in. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec

from nextwave_ingest.admission import RefusedError, check_depth, misfit

Body = Literal["json", "form", "multipart", "mime"]
FIELDS_MAX = 1_000
"""Fields of a form."""
PARTS_MAX = 50_000
"""Commas of a JSON body: how many values it may have, so that paths that look at all of them stay cheap."""
_json = msgspec.json.Decoder()


def read_body(kind: Body, body: bytes, content_type: str) -> Any:  # noqa: ARG001  (multipart needs it)
    """Forms are objects of texts, a repeated field a list of them. Raises `RefusedError`."""
    match kind:
        case "json":
            return _of_json(body)
        case "form":
            return of_pairs(form_pairs(body))
        case _:
            raise RefusedError("", f"{kind} is not read yet")


def _of_json(body: bytes) -> Any:
    check_depth(body)
    if body.count(b",") > PARTS_MAX:
        raise RefusedError("", f"a body may have {PARTS_MAX} values; send smaller batches", "too_large")
    try:
        return _json.decode(body)
    except (ValueError, RecursionError) as wrong:
        raise misfit(wrong) from wrong


def form_pairs(body: bytes) -> list[tuple[str, str]]:
    """The fields of an urlencoded form in their order. Raises `RefusedError`."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError as wrong:
        raise RefusedError("", f"the body is no urlencoded form in UTF-8 with at most {FIELDS_MAX} fields") from wrong


def of_pairs(pairs: list[tuple[str, str]]) -> Mapping[str, str | list[str]]:
    """The fields as an object."""
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}

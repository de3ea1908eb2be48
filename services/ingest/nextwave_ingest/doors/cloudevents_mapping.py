"""What a CloudEvent means to us: its type is ours, `data.identifiers` or `subject` name the customer. PURE."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
from nextwave_contracts.identifiers import KINDS

from nextwave_ingest.admission import SEPARATED, RefusedError, Report, check_bounds, data_object, misfit, names_of, text
from nextwave_ingest.occurrence import Occurrence, UnreadableTimeError, instant, occurrence

CALL_TYPES: Mapping[str, str] = {
    "call.started": "call.offered",
    "call.wrapup": "call.wrapped_up",
    "call.complaint": "complaint.opened",
}
"""Types that call-centre platforms use, in our words."""
ATTRIBUTES: tuple[str, ...] = ("specversion", "id", "source", "type", "time", "subject", "datacontenttype")
REQUIRED: tuple[str, ...] = ("specversion", "id", "source", "type")


class Event(msgspec.Struct):
    """A CloudEvent 1.0 in its JSON format; extension attributes are ignored."""

    specversion: str = ""
    id: str = ""
    source: str = ""
    type: str = ""
    time: str | None = None
    subject: str | None = None
    datacontenttype: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")
    data_base64: str | None = None


_events = msgspec.json.Decoder(Event)


def understand(item: bytes, *, key_source: str, received_at: datetime) -> Report:
    """What one event reports. `key_source` is the write key's source. Raises `RefusedError`."""
    try:
        event = _events.decode(item)
    except (ValueError, RecursionError) as wrong:
        raise misfit(wrong) from wrong
    for name in REQUIRED:
        text(f"/{name}", getattr(event, name))
    if event.specversion != "1.0":
        raise RefusedError("/specversion", "this door speaks CloudEvents 1.0")
    raw = _payload(event)
    whole = data_object(raw, "/data")
    given = whole.get("identifiers") if event.type != SEPARATED else None  # there they are the names that leave, and stay in the data
    data = {key: value for key, value in whole.items() if key != "identifiers"} if given is not None else whole
    return Report(
        id=event.id,
        source=f"{key_source}/{event.source}",
        type=CALL_TYPES.get(event.type, event.type),
        identifiers=_names(given, event),
        occurrence=_occurrence(event.time, received_at),
        data=data,
        raw=raw if data is whole else None,
    )


def from_headers(headers: Mapping[bytes, bytes], body: bytes) -> bytes:
    """An event in binary mode as one JSON document. Raises `RefusedError`."""
    attributes: dict[str, Any] = {}
    for name in ATTRIBUTES[:-1]:
        value = headers.get(b"ce-" + name.encode())
        if value is not None:
            attributes[name] = header_text(value, f"/ce-{name}")
    kind = headers.get(b"content-type", b"application/json").decode("latin-1")
    attributes["datacontenttype"] = kind
    if body.strip():
        data_object(msgspec.Raw(body), "/data")
        attributes["data"] = msgspec.Raw(body)
    return msgspec.json.encode(attributes)


def header_text(value: bytes, pointer: str) -> str:
    """A header's value unquoted and percent-decoded once, as the HTTP binding demands. Raises `RefusedError`."""
    bare = value.strip()
    if len(bare) >= 2 and bare[:1] == bare[-1:] == b'"':
        bare = bare[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
    try:
        return unquote_to_bytes(bare).decode()
    except UnicodeDecodeError as wrong:
        raise RefusedError(pointer, "must be percent-encoded UTF-8") from wrong


def _payload(event: Event) -> msgspec.Raw:
    if event.data_base64 is None:
        kind = (event.datacontenttype or "application/json").partition(";")[0].strip().lower()
        if bytes(event.data) and kind != "application/json" and not kind.endswith("+json"):
            raise RefusedError("/datacontenttype", "data must be application/json")
        return event.data
    try:
        content = base64.b64decode(event.data_base64, validate=True)
    except ValueError as wrong:
        raise RefusedError("/data_base64", "must be base64") from wrong
    check_bounds(content)
    return msgspec.Raw(content)


def _names(given: Any, event: Event) -> tuple[str, ...]:
    subject = event.subject
    if given is not None and not (isinstance(given, list) and all(isinstance(name, str) for name in given)):
        raise RefusedError("/data/identifiers", "must be a list of kind:value, for example email:ann@example.com")
    named = [subject] if subject and subject.partition(":")[0] in KINDS else []
    names = tuple(dict.fromkeys(names_of(given or (), "/data/identifiers") + names_of(named, "/subject")))
    if not names and event.type == SEPARATED:
        raise RefusedError("/subject", "name the customer: kind:value, for example customer_id:7")
    if not names:
        raise RefusedError("/data/identifiers", "name the customer: a list of kind:value here, or kind:value as subject")
    return names


def _occurrence(time: str | None, received_at: datetime) -> Occurrence:
    try:
        return occurrence(None if time is None else instant(time), None, received_at)
    except UnreadableTimeError as wrong:
        raise RefusedError("/time", str(wrong)) from wrong

"""What a CloudEvent means to us: its type is ours, `data.identifiers` or `subject` name the customer. PURE."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
from nextwave_contracts.identifiers import CALL, KINDS

from nextwave_ingest.admission import SEPARATED, RefusedError, Report, check_bounds, data_object, misfit, name_of, names_of, text
from nextwave_ingest.occurrence import Occurrence, UnreadableTimeError, given_instant, occurrence
from nextwave_ingest.untimed import untimed

CALL_TYPES: Mapping[str, str] = {
    "call.started": "call.offered",
    "call.wrapup": "call.wrapped_up",
    "call.complaint": "complaint.opened",
}
"""Types that call-centre platforms use, in our words."""
INBOUND_ONLY: frozenset[str] = frozenset({"call.started", "call.offered", "call.queued", "call.answered", "call.abandoned"})
"""What only a customer's own call can be: scoring takes them for something that the customer came for."""
REQUIRED: tuple[str, ...] = ("specversion", "id", "source", "type")
IN_HEADERS: tuple[str, ...] = (*REQUIRED, "time", "subject", "traceparent")
"""Attributes that are read of an event in binary mode; its Content-Type is the one of its data."""
CHARSETS: frozenset[str] = frozenset({"utf-8", "us-ascii", "iso-8859-1"})
_NOTHING = (b"", b"null")
_SUBJECT = f"name the customer by the attribute subject: kind:value with one of {', '.join(KINDS)}, for example customer_id:7"
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s\";]+)")
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


class Event(msgspec.Struct):
    """A CloudEvent 1.0 in its JSON format; `dataschema` and extension attributes but for `traceparent` are ignored."""

    specversion: str = ""
    id: str = ""
    source: str = ""
    type: str = ""
    time: Any = None
    subject: Any = None
    datacontenttype: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")
    data_base64: str | None = None


class Traced(msgspec.Struct):
    """An event with the distributed tracing extension."""

    traceparent: Any = None


_events = msgspec.json.Decoder(Event)
_traced = msgspec.json.Decoder(Traced)
_texts = msgspec.json.Decoder(str)


def understand(item: bytes, *, key_source: str, received_at: datetime) -> Report:
    """What one event reports. `key_source` is the write key's source. Raises `RefusedError`."""
    try:
        event = _events.decode(item if item.isascii() else item.decode())  # what is not read must be UTF-8 too
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
    if event.type in INBOUND_ONLY and whole.get("direction") == "outbound":
        raise RefusedError("/data/direction", "a call that you placed is none of the customer's: send its end, wrap-up and complaint only")
    occurred, fault = _occurrence(event.time, received_at)
    reported = Report(
        id=event.id,
        source=f"{key_source}/{event.source}",
        type=CALL_TYPES.get(event.type, event.type),
        identifiers=_names(given, event, _call(event.type, whole, key_source)),
        occurrence=occurred,
        data=data,
        raw=raw if data is whole else None,
    )
    return reported if fault is None else untimed(reported, fault)


def from_headers(headers: Mapping[bytes, bytes], body: bytes) -> bytes:
    """An event in binary mode as one JSON document. Raises `RefusedError`."""
    attributes: dict[str, Any] = {}
    for name in IN_HEADERS:
        value = headers.get(b"ce-" + name.encode())
        if value is not None:
            attributes[name] = header_text(value, f"/ce-{name}")
    kind = attributes["datacontenttype"] = headers.get(b"content-type", b"application/json").decode("latin-1")
    if body.strip() and not is_json(kind):
        attributes["data"] = text_of(kind, body)
    elif body.strip():
        data_object(msgspec.Raw(body), "/data")
        attributes["data"] = msgspec.Raw(body)
    return msgspec.json.encode(attributes)


def trace_of(item: bytes) -> bytes:
    """The trace context that an event carries by itself; empty where it has none. The item is known to be readable."""
    said = _traced.decode(item).traceparent if b'"traceparent"' in item else None
    return said.encode() if isinstance(said, str) else b""


def header_text(value: bytes, pointer: str) -> str:
    """A header's value unquoted and percent-decoded once, as the HTTP binding demands. Raises `RefusedError`."""
    bare = value.strip()
    if len(bare) >= 2 and bare[:1] == bare[-1:] == b'"':
        bare = _QUOTED_PAIR.sub(rb"\1", bare[1:-1])
    try:
        return unquote_to_bytes(bare).decode()
    except UnicodeDecodeError as wrong:
        raise RefusedError(pointer, "must be percent-encoded UTF-8") from wrong


def is_json(kind: str) -> bool:
    """Whether data of this content type is JSON."""
    bare = kind.partition(";")[0].strip().lower()
    return bare in ("", "application/json", "text/json") or bare.endswith("+json")


def check_text(kind: str) -> None:
    """Refuses a content type that is neither text nor XML (nor JSON, which is looked for before)."""
    media = kind.partition(";")[0].strip().lower()
    if not (media.startswith("text/") or media == "application/xml" or media.endswith("+xml")):
        raise RefusedError("/datacontenttype", "send JSON or a text (text/..., XML); in binary mode Content-Type says which")


def text_of(kind: str, content: bytes) -> str:
    """Data that is a text, by its charset. Raises `RefusedError`."""
    check_text(kind)
    said = _CHARSET.search(kind.lower())
    charset = said.group(1) if said else "utf-8"
    if charset not in CHARSETS:
        raise RefusedError("/datacontenttype", f"charset must be one of {', '.join(sorted(CHARSETS))}")
    try:
        return content.decode(charset)
    except UnicodeDecodeError as wrong:
        raise RefusedError("/data", f"is no text in {charset}") from wrong


def _payload(event: Event) -> msgspec.Raw:
    """The data as a JSON object; a text is its `body`."""
    kind, given = event.datacontenttype or "", bytes(event.data)
    if event.data_base64 is None:
        return event.data if is_json(kind) or given in _NOTHING else _text_object(kind, _said(event.data, kind))
    if given not in _NOTHING:
        raise RefusedError("/data_base64", "send data or data_base64, not both")
    try:
        content = base64.b64decode(event.data_base64, validate=True)
    except ValueError as wrong:
        raise RefusedError("/data_base64", "must be base64") from wrong
    if not is_json(kind):
        return _text_object(kind, text_of(kind, content))
    check_bounds(content)
    return msgspec.Raw(content)


def _said(data: msgspec.Raw, kind: str) -> str:
    check_text(kind)
    try:
        return _texts.decode(data)
    except ValueError as wrong:
        raise RefusedError("/data", "must be a text, as datacontenttype does not say JSON") from wrong


def _text_object(kind: str, written: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode({"body": written, "content_type": kind}))


def _call(kind: str, data: Mapping[str, Any], key_source: str) -> tuple[str, ...]:
    """The name of the call that an event of a call centre is about, by which all that is told of it comes together."""
    call_id = data.get("call_id")
    if not kind.startswith("call.") or isinstance(call_id, bool) or not isinstance(call_id, str | int) or call_id == "":
        return ()
    return names_of((f"{CALL}{key_source}:{call_id}",), "/data/call_id")


def _names(given: Any, event: Event, call: tuple[str, ...]) -> tuple[str, ...]:
    if given is not None and not (isinstance(given, list) and all(isinstance(name, str) for name in given)):
        raise RefusedError("/data/identifiers", "must be a list of kind:value, for example customer_id:7")
    names = tuple(dict.fromkeys(names_of(given or (), "/data/identifiers") + _named(event.subject) + call))
    if names:
        return names
    if event.subject or event.type == SEPARATED:
        raise RefusedError("/subject", _SUBJECT)
    raise RefusedError(
        "/data/identifiers", "name the customer: a list of kind:value here, or kind:value as subject; of a call call_id will do"
    )


def _named(subject: Any) -> tuple[str, ...]:
    """The name that the subject is; none where it is about something else."""
    if subject is not None and not isinstance(subject, str):
        raise RefusedError("/subject", _SUBJECT)
    kind, _, value = (subject or "").partition(":")
    return (name_of(kind, value, "/subject"),) if kind in KINDS else ()


def _occurrence(time: Any, received_at: datetime) -> tuple[Occurrence, RefusedError | None]:
    """When it happened; its reception, and why, where that cannot be read."""
    try:
        return occurrence(given_instant(time), None, received_at), None
    except UnreadableTimeError as wrong:
        return occurrence(None, None, received_at), RefusedError("/time", str(wrong))

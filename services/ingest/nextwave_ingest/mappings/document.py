"""A mapping as people write it: which bodies a source sends, and which touchpoints they are; docs/doors.md explains its words. PURE."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from nextwave_contracts.documents import read_document, read_written
from nextwave_contracts.faults import Fault, FaultyError, step

from nextwave_ingest.mappings.tables import folded

DOCUMENT_BYTES_MAX = 64 * 1024
"""Of its JSON, which is what is kept: with YAML's aliases written out."""
RULES_MAX = 100
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""Of mappings and tables: they stand in URLs and in other mappings."""
NAME_FIX = "use 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit"
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_BODILESS = (204, 205)
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-write-key"})

Scheme = Literal["twilio", "sendgrid", "shopify", "woocommerce", "hmac"]
Written = Any
"""A value as it is written: a literal, a path, Liquid, a function, or a list or object of these (`values.py` reads it)."""


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the provider shows that it is the sender. All but `scheme` are for `hmac`: a keyed hash of the raw body in a header."""

    scheme: Scheme
    header: str = ""
    encoding: Literal["hex", "base64"] = "hex"
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    prefix: Annotated[str, Meta(max_length=32)] = ""
    """Stands before the hash in the header, for example `sha256=`."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a provider is answered that does not want our JSON."""

    status: Annotated[int, Meta(extra_json_schema={"minimum": 200, "maximum": 299})] = 200
    content_type: Annotated[str, Meta(pattern=r"^[\x20-\x7e]{1,100}(?!\n)$")] = "text/plain"
    body: Annotated[str, Meta(max_length=4096)] = ""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One touchpoint that an item may be. `when`: paths and what must lie there; empty: always."""

    type: Written
    when: dict[str, Any] = {}
    id: Written = None
    occurred_at: Written = None
    sent_at: Written = None
    identifiers: dict[str, Written] = {}
    data: dict[str, Written] = {}


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A mapping. With `extends` it has tables of its own and all else of the other mapping."""

    name: str
    description: Annotated[str, Meta(max_length=1000)] = ""
    body: Literal["json", "form", "multipart", "mime"] = "json"
    headers: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    """Names of the request's headers that items are given as `_headers`."""
    signature: Signature | None = None
    items: str = "$"
    tables: dict[str, dict[str, Any]] = {}
    extends: str = ""
    touchpoints: Annotated[tuple[Rule, ...], Meta(max_length=RULES_MAX)] = ()
    unmatched: Literal["ignore", "reject"] = "ignore"
    answer: Answer | None = None


_EXTENDING = frozenset({"name", "description", "extends", "tables"})


def read(raw: bytes, name: str = "", media_type: str = "") -> Document:
    """The document in YAML or JSON. One that is kept under a `name` may leave it out. What its values say is checked when it is compiled.

    Raises `FaultyError`.
    """
    written = read_document(raw, media_type)
    if name and isinstance(written, dict) and written.setdefault("name", name) != name:
        raise FaultyError(
            [Fault("/name", f"{written['name']!r:.80} is not the name under which it stands", f"write {name}, or leave it out")]
        )
    document = read_written(written, Document, _faults)
    if len(msgspec.json.encode(document)) > DOCUMENT_BYTES_MAX:
        detail = f"larger than {DOCUMENT_BYTES_MAX // 1024} KB as JSON, with its aliases written out"
        raise FaultyError([Fault("", detail, "split it: a source may use several mappings")])
    return document


def extended(document: Document, other: Document) -> Document:
    """The other mapping with this one's name and its tables laid over; an entry of this one counts before the other's."""
    tables = {name: _laid(other.tables.get(name, {}), document.tables.get(name, {})) for name in {**other.tables, **document.tables}}
    return msgspec.structs.replace(
        other, name=document.name, description=document.description or other.description, tables=tables, extends=document.extends
    )


def _laid(others: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Entries over others of the same codes, in whatever case they are written."""
    codes = {folded(code) for code in own}
    return {code: entry for code, entry in others.items() if folded(code) not in codes} | own


def _faults(document: Document) -> list[Fault]:
    faults = [*_name_faults(document), *_header_faults(document), *_extending_faults(document), *_answer_faults(document.answer)]
    signature = document.signature
    if signature is not None and (signature.scheme == "hmac") != bool(signature.header):
        fix = "name the header for scheme hmac; the other schemes have their own"
        faults.append(Fault("/signature/header", "does not fit the scheme", fix))
    return faults


def _answer_faults(answer: Answer | None) -> list[Fault]:
    if answer is None:
        return []
    if not 200 <= answer.status <= 299:
        detail = f"{answer.status} says that it was not taken: a provider would send it all again, or drop it"
        return [Fault("/answer/status", detail, "write a number from 200 to 299; what is rejected is kept")]
    if answer.status in _BODILESS and answer.body:
        return [Fault("/answer/body", f"{answer.status} has none", "take it out, or answer 200")]
    return []


def _name_faults(document: Document) -> list[Fault]:
    named = [("/name", document.name), *((f"/tables{step(name)}", name) for name in document.tables)]
    return [Fault(pointer, f"{name!r:.80} is no name", NAME_FIX) for pointer, name in named if not NAME.fullmatch(name)]


def _header_faults(document: Document) -> list[Fault]:
    asked = [(f"/headers/{n}", name) for n, name in enumerate(document.headers)]
    faults = [
        Fault(pointer, f"{name} holds a secret", "take it out: items are kept")
        for pointer, name in asked
        if name.lower() in _SECRET_HEADERS
    ]
    if document.signature is not None and document.signature.header:
        asked.append(("/signature/header", document.signature.header))
    wrong = [(pointer, name) for pointer, name in asked if not _HEADER.fullmatch(name)]
    return faults + [Fault(pointer, f"{name!r:.80} is no name of a header", "write it like X-Topic") for pointer, name in wrong]


def _extending_faults(document: Document) -> list[Fault]:
    if not document.extends:
        fix = "add at least one rule under touchpoints, or extend a mapping"
        return [] if document.touchpoints else [Fault("/touchpoints", "there is no rule", fix)]
    default = Document(name="")
    own = [field for field in document.__struct_fields__ if field not in _EXTENDING and getattr(document, field) != getattr(default, field)]
    faults = [
        Fault(step(field), f"comes from {document.extends}", "take it out, or write the whole mapping without extends") for field in own
    ]
    if document.extends == document.name:
        faults.append(Fault("/extends", "a mapping cannot extend itself", "name another mapping"))
    return faults

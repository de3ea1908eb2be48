"""What a mapping that extends another may lay over it. PURE."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from nextwave_contracts.faults import Fault, step

from nextwave_ingest.mappings.document import Document

WRAP_UP_FIELDS = frozenset(
    {
        "complaint", "refusal", "satisfaction", "rating", "score", "reference", "callback", "promise", "promised_by", "disposition",
        "reason_code", "cancel_reason", "refusal_reason", "return_reason", "competitor_reason", "reason", "reason_text", "note", "notes",
        "comment", "competitor",
    }
)  # fmt: skip
"""What somebody behind the doors reads of the data of `call.wrapped_up` (docs/touchpoints.md, and docs/service.md for promises)."""


def extension_faults(document: Document, other: Document) -> list[Fault]:
    """Why this one's tables do not fit those of the mapping that it extends. Told when it is saved or tried; afterwards only a table that
    is lost takes it out of force.
    """
    if not other.tables:
        return [Fault("/extends", f"{other.name} has no tables", "extend one that has, or write the whole mapping without extends")]
    if not document.tables:
        return [Fault("/tables", "there is none", f"lay codes of your own over a table of {other.name}: {_listed(other.tables)}")]
    merged, faults = set(_merged(other)), lost_tables(document, other)
    for name, entries in document.tables.items():
        shipped = other.tables.get(name, {})
        if name in merged or any(isinstance(entry, dict) for entry in shipped.values()):
            faults += _entry_faults(f"/tables{step(name)}", entries, shipped)
    return faults


def lost_tables(document: Document, other: Document) -> list[Fault]:
    """Its tables in which nobody would look anything up: what they say, stops among it, would be lost without a word."""
    return [
        Fault(
            f"/tables{step(name)}",
            f"{other.name} has no table {name}",
            _near(name, other.tables) or f"use one of {other.name}: {_listed(other.tables)}",
        )
        for name in document.tables
        if name not in other.tables
    ]


def _merged(other: Document) -> Iterator[str]:
    """The tables whose entries are laid into the data, so that each must be an object."""
    for rule in other.touchpoints:
        written = rule.data.get("*")
        if isinstance(written, dict) and isinstance(written.get("table"), str):
            yield written["table"]


def _entry_faults(at: str, entries: Mapping[str, Any], shipped: Mapping[str, Any]) -> Iterator[Fault]:
    known = WRAP_UP_FIELDS.union(*(entry for entry in shipped.values() if isinstance(entry, dict)))
    for code, entry in entries.items():
        if not isinstance(entry, dict):
            yield Fault(at + step(code), "is no object", "write an object that says what the code means, for example {complaint: true}")
            continue
        for field in entry:
            if field not in known:
                fix = _near(field, known) or f"use {_listed(known)}"
                yield Fault(at + step(code) + step(field), f"nothing reads {field!r:.40}", fix)


def _near(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))

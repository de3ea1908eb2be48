"""A mapping of one rule, and what is wrong with it where it is saved."""

from __future__ import annotations

from typing import Any

from nextwave_contracts.faults import FaultyError
from nextwave_ingest.mappings.document import read
from nextwave_ingest.mappings.library import Library, shipped


def mapping(rule: str, **tables: dict[str, Any]) -> str:
    """Its document, for items with `id` and `from`."""
    return f"name: ours\ntables: {tables}\ntouchpoints:\n  - {{id: $.id, identifiers: {{phone: $.from}}, {rule}}}\n"


def faults(document: str) -> list[str]:
    """The pointers to what is refused."""
    try:
        Library(shipped()).checked(read(document.encode()))
    except FaultyError as wrong:
        return [fault.pointer for fault in wrong.faults]
    return []

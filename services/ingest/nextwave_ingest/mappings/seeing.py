"""An item as the rules of a mapping see it: with the headers that the mapping asks for, and without what is empty. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nextwave_ingest.admission import check_depth, data_object

HEADERS = "_headers"
"""Under which an item sees the headers that its mapping asks for."""
HEADER_BYTES_MAX = 256
"""Of each of them: they stand in every item."""


def header(headers: Mapping[bytes, bytes], name: str) -> str:
    """What it says, or an empty text."""
    return headers.get(name.lower().encode(), b"")[:HEADER_BYTES_MAX].decode("latin-1")


def with_headers(item: Any, headers: Mapping[str, str]) -> Any:
    """An object with them; anything else as it is."""
    return {**item, HEADERS: headers} if headers and isinstance(item, dict) else item


def seen(item: bytes) -> dict[str, Any]:
    """An item as the rules see it. Raises `RefusedError`."""
    check_depth(item)
    present: dict[str, Any] = _present(data_object(msgspec.Raw(item), ""))
    return present


def _present(value: Any) -> Any:
    """What is there: in objects, null and empty text are as if they were not."""
    if isinstance(value, dict):
        return {name: _present(one) for name, one in value.items() if one is not None and one != ""}
    return [_present(one) for one in value] if isinstance(value, list) else value

"""Long texts are cut so that what is said at their beginning is not refused with them. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nextwave_ingest.admission import EVENT_BYTES_MAX

TEXT_BYTES_MAX = 16 * 1024
"""Of a text in JSON: half of what an event may have."""


def cut(text: str, most: int = TEXT_BYTES_MAX) -> str:
    """The beginning of the text that has at most so many bytes in JSON."""
    text = text[:most]
    while (size := len(msgspec.json.encode(text))) > most:
        text = text[: min(len(text) - 1, len(text) * most // size)]
    return text


def cut_to_fit(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data with its texts cut so that they have room in an event together."""
    texts = sum(isinstance(value, str) for value in data.values())
    return {name: cut(value, EVENT_BYTES_MAX // (texts + 1)) if isinstance(value, str) else value for name, value in data.items()}

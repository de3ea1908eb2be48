"""Long texts are cut so that what is said at their beginning is not refused with them. PURE."""

from __future__ import annotations

import msgspec

TEXT_BYTES_MAX = 16 * 1024
"""Of a text in JSON: half of what an event may have."""


def cut(text: str) -> str:
    """The beginning of the text that has at most 16 KB in JSON."""
    text = text[:TEXT_BYTES_MAX]
    while (size := len(msgspec.json.encode(text))) > TEXT_BYTES_MAX:
        text = text[: min(len(text) - 1, len(text) * TEXT_BYTES_MAX // size)]
    return text

"""`nextwave.rejected.v1`: what could not be processed, with everything needed to look at it and to redrive it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nextwave_contracts.reasons import RejectCode
from nextwave_contracts.wire import Message

PROCESSOR_BYTES_MAX = 524_288
"""As much of a message as a processor keeps when it rejects it."""


class Rejected(Message, frozen=True, kw_only=True):
    """`payload` are the original bytes (base64 in JSON); `topic`, `partition`, `offset` name its place, or a door's name and -1."""

    reason: RejectCode
    detail: str
    processor: str
    topic: str
    partition: int
    offset: int
    at: datetime
    payload: bytes
    key: str = ""
    size_bytes: int = 0
    """Of the original: where that is more than the payload, only its beginning was kept. 0: an older build did not say."""
    said: dict[str, Any] = {}
    """What an item's request said for all of its items, without which it cannot be understood again: its mapping, when it was sent ..."""

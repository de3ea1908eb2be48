"""What was rejected as people look for it: where it stands, what is told of it, and what is shown of its bytes to whom. PURE."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from nextwave_contracts.reasons import RejectCode
from nextwave_contracts.rejected import PROCESSOR_BYTES_MAX, Rejected

from nextwave_ingest import hidden
from nextwave_ingest.admission import EVENT_BYTES_MAX

DOOR = "door:"
"""How the topic of what a door refused begins."""
DETAIL_MAX = 600
WHOLE = "whole"
"""Under which is kept with a refused item that it is a whole body, of which nobody knew the items."""
_PLACE = re.compile(r"(\d{1,9})-(\d{1,18})")
_BOUND = re.compile(r"(\d{1,9}):(\d{1,18})")

Bounds = Mapping[int, int]
"""By partition: everything below this offset is still to be looked at."""


class Place(NamedTuple):
    """Where a record stands on the topic; written `partition-offset`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}-{self.offset}"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One record as a list shows it: everything but its bytes. What a door refused has its source and, by a mapping, its name."""

    id: str
    at: datetime
    reason: RejectCode
    detail: str
    processor: str
    topic: str
    partition: int
    offset: int
    source: str
    mapping: str
    size_bytes: int
    """Of the original."""
    cut: bool
    """Only its beginning was kept."""
    redriven_at: datetime | None = None
    redriven_by: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; an empty field restricts nothing."""

    source: str = ""
    reason: str = ""
    processor: str = ""
    topic: str = ""
    mapping: str = ""
    redriven: bool | None = None

    def fits(self, entry: Entry) -> bool:
        """Whether the entry is such a one."""
        if self.redriven is not None and self.redriven is not (entry.redriven_at is not None):
            return False
        return all(not asked or getattr(entry, name) == asked for name, asked in msgspec.structs.asdict(self).items() if name != "redriven")


class Content(NamedTuple):
    """The bytes as text, or else in base64; neither where they are not shown."""

    text: str | None = None
    base64: str | None = None
    masked: bool = False


def entry_of(kept: Rejected, place: Place) -> Entry:
    """What a list shows of a record."""
    return Entry(
        id=str(place),
        at=kept.at,
        reason=kept.reason,
        detail=kept.detail,
        processor=kept.processor,
        topic=kept.topic,
        partition=kept.partition,
        offset=kept.offset,
        source=kept.key if kept.topic.startswith(DOOR) else "",
        mapping=str(kept.said.get("mapping") or ""),
        size_bytes=max(kept.size_bytes, len(kept.payload)),
        cut=is_cut(kept),
    )


def is_cut(kept: Rejected) -> bool:
    """Whether only the beginning was kept. An older build does not say; what is as long as it may be was cut, as far as anybody knows."""
    if kept.size_bytes:
        return kept.size_bytes > len(kept.payload)
    return len(kept.payload) >= (EVENT_BYTES_MAX if kept.topic.startswith(DOOR) else PROCESSOR_BYTES_MAX)


def masked(entry: Entry) -> Entry:
    """For readers without need: the reason may repeat what was sent."""
    return msgspec.structs.replace(entry, detail=hidden.reason(entry.detail, DETAIL_MAX))


def content(payload: bytes, *, sees_addresses: bool) -> Content:
    """What is shown of the bytes. Who may not see addresses gets the structure of JSON, and nothing of anything else."""
    if sees_addresses:
        try:
            return Content(text=payload.decode())
        except UnicodeDecodeError:
            return Content(base64=base64.b64encode(payload).decode())
    try:
        shown = hidden.item(msgspec.json.decode(payload))
    except (ValueError, RecursionError):
        return Content(masked=True)
    return Content(text=msgspec.json.encode(shown).decode(), masked=True)


def said_of(kept: Rejected, *, sees_addresses: bool) -> dict[str, Any]:
    """What the request said for all of its items; the name of its mapping is ours."""
    if sees_addresses:
        return kept.said
    shown: dict[str, Any] = hidden.item(kept.said)
    return shown | {"mapping": kept.said["mapping"]} if "mapping" in kept.said else shown


def place(text: str) -> Place | None:
    """The place written so, or None."""
    written = _PLACE.fullmatch(text)
    return Place(int(written[1]), int(written[2])) if written else None


def cursor(bounds: Bounds) -> str:
    """Where the next page begins, as text."""
    return ",".join(f"{partition}:{bound}" for partition, bound in sorted(bounds.items()))


def bounds(text: str) -> Bounds | None:
    """Where a page begins, of its cursor; None for a foreign one."""
    written = [_BOUND.fullmatch(part) for part in text.split(",")]
    return {int(one[1]): int(one[2]) for one in written if one} if all(written) else None

"""What is posted at a door, when, with which key: the two forms in which the demo speaks to the ring. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

Door = Literal["segment", "cloudevents"]


@dataclass(frozen=True, slots=True)
class Item:
    """One call or event. `key` names its write key; `source` is the source that ingest will give the touchpoint."""

    at: datetime
    door: Door
    key: str
    source: str
    id: str
    body: bytes

    @property
    def name(self) -> tuple[str, str]:
        """What makes two touchpoints the same."""
        return self.source, self.id


def call(at: datetime, message_id: str, fields: dict[str, Any]) -> Item:
    """A call of the shop's analytics library. `fields` are `type`, `event`, `userId`, ... as the Segment protocol names them."""
    body = {"messageId": message_id, "timestamp": written(at), **fields}
    return Item(at, "segment", "shop", "shop", message_id, msgspec.json.encode(body))


def event(at: datetime, key: str, event_id: str, kind: str, data: dict[str, Any]) -> Item:
    """A CloudEvent. `data` names the customer in `identifiers`."""
    body = {
        "specversion": "1.0",
        "id": event_id,
        "source": "demo",
        "type": kind,
        "time": written(at),
        "datacontenttype": "application/json",
        "data": data,
    }
    return Item(at, "cloudevents", key, f"{key}/demo", event_id, msgspec.json.encode(body))


def written(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

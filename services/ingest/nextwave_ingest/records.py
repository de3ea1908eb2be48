"""What a request leaves on the topics: one Kafka record for each touchpoint, hold and refused item. PURE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from nextwave_contracts.places import CONTENT_TYPE_HEADER, TRACE_HEADER
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import HOLDS, REJECTED, TOUCHPOINTS, Topic
from nextwave_contracts.wire import encode

from nextwave_ingest.admission import Admitted, Refusal

Headers = list[tuple[str, bytes]]
JSON = (CONTENT_TYPE_HEADER, b"application/json")
_UNTRACED: Headers = [JSON]


class Record(msgspec.Struct, frozen=True):
    """One message to commit; its partition follows from the key."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


def records_of(verdicts: Sequence[Admitted | Refusal], kept: Callable[[Refusal], Rejected], traceparent: str = "") -> list[Record]:
    """All records of a request, refused items as they are `kept`. Its answer waits for every one of them."""
    headers: Headers = [JSON, (TRACE_HEADER, traceparent.encode())] if traceparent else _UNTRACED
    records = []
    for verdict in verdicts:
        if isinstance(verdict, Admitted):
            records.append(_record(TOUCHPOINTS, verdict.touchpoint, headers))
            records.extend(_record(HOLDS, hold, headers) for hold in verdict.holds)
        else:
            records.append(_record(REJECTED, kept(verdict), headers))
    return records


def _record(topic: Topic, message: Any, headers: Headers) -> Record:
    return Record(topic.name, topic.key(message).encode(), encode(message), headers)

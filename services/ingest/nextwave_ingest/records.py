"""What a request leaves on the topics: one Kafka record for each touchpoint, hold and refused item. PURE."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from nextwave_contracts.places import CONTENT_TYPE_HEADER, TRACE_HEADER
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import HOLDS, REJECTED, TOUCHPOINTS, Topic
from nextwave_contracts.wire import encode

from nextwave_ingest.admission import EVENT_BYTES_MAX, Admitted, Refusal

Headers = list[tuple[str, bytes]]
JSON = (CONTENT_TYPE_HEADER, b"application/json")
_UNTRACED: Headers = [JSON]


class Record(msgspec.Struct, frozen=True, gc=False):
    """One message to commit; its partition follows from the key."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


def records_of(verdicts: Sequence[Admitted | Refusal], kept: Callable[[Refusal], Rejected], traceparent: str = "") -> Iterator[Record]:
    """All records of a request, one by one as they are asked for, refused items as they are `kept`. Its answer waits for all of them."""
    headers: Headers = [JSON, (TRACE_HEADER, traceparent.encode())] if traceparent else _UNTRACED
    for verdict in verdicts:
        if isinstance(verdict, Admitted):
            yield _record(TOUCHPOINTS, verdict.touchpoint, headers)
            for hold in verdict.holds:
                yield _record(HOLDS, hold, headers)
        else:
            yield _record(REJECTED, kept(verdict), headers)


def rejected(refusal: Refusal, *, door: str, source: str, at: datetime, said: dict[str, Any]) -> Rejected:
    """The record of a refused item. An oversized one keeps its beginning only. Its pointer ends before the first `: `."""
    return Rejected(
        reason=refusal.error.reason,
        detail=f"{refusal.error.pointer.replace(': ', ':') or '/'}: {'; '.join(e.detail for e in (refusal.error, *refusal.others))}",
        processor="ingest",
        topic=f"door:{door}",
        partition=-1,
        offset=-1,
        at=at,
        payload=refusal.item[:EVENT_BYTES_MAX],
        size_bytes=len(refusal.item),
        key=source,
        said=said,
    )


def _record(topic: Topic, message: Any, headers: Headers) -> Record:
    return Record(topic.name, topic.key(message).encode(), encode(message), headers)

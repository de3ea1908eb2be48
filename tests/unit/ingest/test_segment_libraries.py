"""What Segment's libraries in languages that do not run here post, written down from their source: each call is one touchpoint."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from unit.ingest.fakes import NOW, WRITE_KEY, Stand, basic

LOCAL = "2026-11-22T10:30:00"
"""`NOW`, where the libraries' programs run: an hour east of Greenwich."""
CALL: dict[str, Any] = {"type": "track", "event": "Order Completed", "userId": "42", "messageId": "m-1"}
ORDER: dict[str, Any] = {"revenue": 12.5, "currency": "EUR"}


def bodies() -> dict[str, tuple[str, dict[str, Any]]]:
    """By library its route and body."""
    ruby = CALL | {"anonymousId": None, "integrations": None, "options": None, "properties": ORDER, "timestamp": f"{LOCAL}.000+01:00"}
    java = CALL | {"context": {"library": {"name": "analytics-java"}}, "integrations": {}, "properties": ORDER}
    php = CALL | {"context": {"library": {"consumer": "LibCurl"}}, "properties": ORDER, "timestamp": f"{LOCAL}+01:00"}
    dotnet = CALL | {"properties": ORDER, "timestamp": f"{LOCAL}.1234567+01:00", "context": {}, "integrations": {}, "anonymousId": None}
    go = CALL | {"properties": ORDER, "timestamp": f"{LOCAL}.123456789+01:00"}
    java |= {"timestamp": "2026-11-22T09:30:00.000Z"}
    swift = CALL | {"properties": ORDER, "timestamp": "2026-11-22T09:30:00.000Z", "anonymousId": "a", "_metadata": {"bundled": []}}
    return {
        "ruby": ("/v1/import", {"sentAt": f"{LOCAL}.000+01:00", "batch": [ruby]}),
        "java": ("/v1/import", {"batch": [java], "sentAt": "2026-11-22T09:30:00.000Z", "context": {}, "sequence": 1}),
        "php": ("/v1/batch", {"batch": [php], "sentAt": f"{LOCAL}+01:00"}),
        ".net": ("/v1/import", {"batch": [dotnet], "messageId": "b-1", "sentAt": f"{LOCAL}.1234567+01:00", "MessageId": "b-1"}),
        "go": ("/v1/batch", {"batch": [go], "messageId": "b-1", "sentAt": f"{LOCAL}.123456789+01:00", "context": {"library": {}}}),
        "swift": ("/v1/b", {"batch": [swift], "sentAt": "2026-11-22T09:30:00.000Z", "writeKey": WRITE_KEY}),
    }


@pytest.mark.parametrize("library", bodies())
@pytest.mark.parametrize("packed", [False, True])
async def test_what_a_library_posts_is_taken_by_its_own_route(ingest: Stand, library: str, packed: bool) -> None:
    route, body = bodies()[library]
    content = gzip.compress(msgspec.json.encode(body)) if packed else msgspec.json.encode(body)
    headers = {"authorization": "" if "writeKey" in body else basic(WRITE_KEY), "content-type": "application/json"}
    answer = await ingest.post(route, content=content, headers=headers | ({"content-encoding": "gzip"} if packed else {}))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    (seen,) = ingest.committer.touchpoints
    assert (seen.type, seen.id, seen.data["amount"], seen.identifiers[0]) == ("order.placed", "m-1", 1250, "customer_id:42")
    assert abs(seen.occurred_at - NOW) < timedelta(seconds=1)


async def test_a_time_without_its_zone_is_utc(ingest: Stand) -> None:
    """.NET's round-trip format of a time whose zone nobody said has none."""
    answer = await ingest.post("/v1/import", {"batch": [CALL | {"timestamp": f"{NOW:%Y-%m-%dT%H:%M:%S}.1234567"}]})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert abs(ingest.committer.touchpoints[0].occurred_at - NOW) < timedelta(seconds=1)
